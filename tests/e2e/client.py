"""Helpers of the end-to-end tests: jobs over HTTP, and resources of the deployed stacks."""

from collections.abc import Callable
from typing import Any

import httpx

from local.aws import LocalAws
from tests.waiting import wait_until

_POLL_S = 0.1


def submit(http: httpx.Client, **request: Any) -> Any:
    """Submits a job and returns it."""
    response = http.post("/v1/jobs", json={"prompt": "a red circle", **request})
    assert response.status_code == 202, response.text
    return response.json()


def finish(http: httpx.Client, job: Any) -> Any:
    """Polls the job until it has finished, whether successfully or not, and returns it."""
    finished = ("succeeded", "failed", "canceled")
    return wait_for_job(http, job, lambda current: current["status"] in finished, "has finished")


def wait_for_job(http: httpx.Client, job: Any, condition: Callable[[Any], bool], description: str) -> Any:
    """Polls the job until the condition holds, and returns it."""

    def current() -> Any:
        shown = http.get(job["links"]["self"]).json()
        return shown if condition(shown) else None

    return wait_until(current, f"job {job['id']} {description}", poll_s=_POLL_S)


def resources(aws: LocalAws, resource_type: str) -> list[str]:
    """The physical ids of all resources of a type in the deployed stacks."""
    cloudformation = aws.client("cloudformation")
    return [
        each["PhysicalResourceId"]
        for deployed in cloudformation.list_stacks()["StackSummaries"]
        for each in cloudformation.list_stack_resources(StackName=deployed["StackName"])[
            "StackResourceSummaries"
        ]
        if each["ResourceType"] == resource_type
    ]
