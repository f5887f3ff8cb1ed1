"""Hostile jobs in a local stack, and a good job behind them."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import httpx
from PIL import Image

from bench.attack.images import encoded
from bench.attack.usage import Container, Watch, find_container, watched
from local.client import JobFailedError, JobsClient
from local.stack import LocalStack

TINY_JOB = {"prompt": "a red circle", "steps": 2, "seed": 1}
JOBS = 8
TIMEOUT_S = 300

Meanwhile = Callable[[Container], AbstractContextManager[object]]
"""Something that happens to the container while the jobs run."""


@dataclass(frozen=True)
class Cost:
    """The cost of an attack.

    Attributes:
        good_job_s: time of a good job that is submitted behind the hostile jobs.
        hostile_jobs_s: time until all hostile jobs have ended.
        outcomes: the hostile jobs' error codes, or `succeeded`.
        watch: the container's usage.
    """

    good_job_s: float
    hostile_jobs_s: float
    outcomes: tuple[str, ...]
    watch: Watch

    @property
    def memory_bytes(self) -> int:
        """The growth of the container's memory over idle."""
        return self.watch.most.memory_bytes - self.watch.idle.memory_bytes


def connect(stack: LocalStack) -> JobsClient:
    """A client of the stack's API."""
    return JobsClient(stack.address.api_url, stack.address.api_key)


def attack_with_image(stack: LocalStack, data: bytes, *, jobs: int = JOBS) -> Cost:
    """Submits jobs that name the image six times each, and a good job behind them; see `attack`."""
    return attack(stack, [request_with_image(stack, data)] * jobs)


def request_with_image(stack: LocalStack, data: bytes) -> dict[str, Any]:
    """A job that names the image six times."""
    return {**TINY_JOB, **image_fields([_upload(stack, "inputs/attack", data)] * 6)}


def good_job(stack: LocalStack) -> dict[str, Any]:
    """A job with a small input image."""
    data = encoded(Image.new("RGB", (128, 128), "red"), "PNG")
    return {**TINY_JOB, "input_image": _upload(stack, "inputs/good", data)}


def _upload(stack: LocalStack, key: str, data: bytes) -> str:
    stack.aws.client("s3").put_object(Bucket=stack.address.data_bucket, Key=key, Body=data)
    return f"s3://{stack.address.data_bucket}/{key}"


def image_fields(uris: Sequence[str]) -> dict[str, Any]:
    """The fields that name six images."""
    controlnets = [{"type": "canny", "image": uri, "preprocess": True} for uri in uris[2:6]]
    return {"input_image": uris[0], "mask_image": uris[1], "controlnets": controlnets}


def attack(
    stack: LocalStack,
    hostile: Sequence[Mapping[str, Any]],
    *,
    meanwhile: Meanwhile | None = None,
    cancel: bool = False,
) -> Cost:
    """Submits hostile jobs, and a good job behind them.

    Args:
        stack: started by this process.
        hostile: the requests.
        meanwhile: lasts until the hostile jobs have ended; the good job is submitted after it.
        cancel: the hostile jobs are canceled before the good job is submitted.

    Raises:
        JobFailedError: a good job has not succeeded.
    """
    container = container_of(stack)
    with connect(stack) as client:
        time_of_good_job(stack, client)  # starts the fork server, which belongs to the idle container
        with watched(container) as watch:
            started_at = time.monotonic()
            with nullcontext() if meanwhile is None else meanwhile(container):
                submitted = [client.submit(each) for each in hostile]
                if cancel:
                    for job in submitted:
                        _cancel(stack, job)
                if meanwhile is None:
                    good_job_s = time_of_good_job(stack, client)
                outcomes = tuple(outcome(client, job) for job in submitted)
                hostile_jobs_s = time.monotonic() - started_at
            if meanwhile is not None:
                good_job_s = time_of_good_job(stack, client)
    return Cost(good_job_s, hostile_jobs_s, outcomes, watch)


def _cancel(stack: LocalStack, job: Any) -> None:
    headers = {"x-api-key": stack.address.api_key}
    httpx.post(
        f"{stack.address.api_url}{job['links']['cancel']}", headers=headers, timeout=TIMEOUT_S
    ).raise_for_status()


def time_of_good_job(stack: LocalStack, client: JobsClient) -> float:
    """Seconds from the submission of a job with an input image to its success.

    Raises:
        JobFailedError: it has not succeeded.
    """
    started_at = time.monotonic()
    for _ in client.poll(client.submit(good_job(stack)), timeout_s=TIMEOUT_S):
        pass
    return time.monotonic() - started_at


def outcome(client: JobsClient, job: Any) -> str:
    """The error code of a job, or `succeeded`; waits until it has ended."""
    try:
        for _ in client.poll(job, timeout_s=TIMEOUT_S):
            pass
    except JobFailedError as error:
        return error.code or "failed"
    return "succeeded"


def container_of(stack: LocalStack) -> Container:
    """The container of a stack that this process has started."""
    return find_container(("-m", "inference"), "AWS_ENDPOINT_URL", stack.address.aws_endpoint_url)
