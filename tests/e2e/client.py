"""What the end-to-end tests do as a client of the API."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from local.aws import LocalAws


def wait_until(holds: Callable[[], Any], what: str) -> Any:
    for _ in range(600):
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail(f"it never came to pass that {what}")


def submit(http: httpx.Client, **request: Any) -> Any:
    answer = http.post("/v1/jobs", json={"prompt": "a red circle", **request})
    assert answer.status_code == 202, answer.text
    return answer.json()


def finish(http: httpx.Client, job: Any) -> Any:
    def ended() -> Any:
        shown = http.get(job["links"]["self"]).json()
        return shown if shown["status"] in ("succeeded", "failed", "canceled") else None

    return wait_until(ended, f"job {job['id']} ends")


def resources(aws: LocalAws, kind: str) -> list[str]:
    """Physical ids of everything of a kind in the deployed stacks."""
    cloudformation = aws.client("cloudformation")
    return [
        each["PhysicalResourceId"]
        for deployed in cloudformation.list_stacks()["StackSummaries"]
        for each in cloudformation.list_stack_resources(StackName=deployed["StackName"])[
            "StackResourceSummaries"
        ]
        if each["ResourceType"] == kind
    ]
