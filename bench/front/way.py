"""The time that a job spends in each part of the local stack."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import httpx

from bench.figures import markdown, median
from bench.front import api_function
from local.stack import LocalStack

_POLL_S = 0.05
_TIMEOUT_S = 120
_REQUEST = {"prompt": "a red circle on a white background", "steps": 20, "width": 128, "height": 128}

_NAMES = {
    "dispatch": "API, queue, and way to and from the container",
    "container": "container",
    "completion": "completion message",
    "read": "GET of the job",
    "total": "total",
    "submission": "POST /v1/jobs, part of the first row",
}


@dataclass(frozen=True)
class _Way:
    """Seconds of a job in each part.

    Attributes:
        dispatch: from the request until the result is in S3, without the time in the container.
        container: with the wait for a place in a batch.
        completion: from the result in S3 until the job's record has ended.
        read: of the ended job.
        total: from the request until the client has the ended job.
        submission: from the request to its answer; the container may start before.
    """

    dispatch: float
    container: float
    completion: float
    read: float
    total: float
    submission: float


def table(stack: LocalStack, *, clients: int, jobs: int) -> str:
    """Follows jobs of several clients, each of which submits its next job when the one before has ended."""
    jobs_table = api_function.variables(stack)["JOBS_TABLE_NAME"]
    dynamodb = stack.aws.client("dynamodb", connections=clients)
    headers = {"x-api-key": stack.address.api_key}
    with httpx.Client(base_url=stack.address.api_url, headers=headers, timeout=_TIMEOUT_S) as http:
        _follow(http, dynamodb, jobs_table)  # starts the functions
        with ThreadPoolExecutor(clients) as executor:
            started_at = time.perf_counter()
            ways = list(executor.map(lambda _: _follow(http, dynamodb, jobs_table), range(jobs)))
            seconds = time.perf_counter() - started_at
    rows = [
        (_NAMES[part.name], median([getattr(each, part.name) for each in ways], digits=3))
        for part in fields(_Way)
    ]
    rows.append(("images a second, all clients", f"{jobs / seconds:.2f}"))
    return markdown((f"{clients} client{'s' if clients > 1 else ''}", "median, s"), rows)


def _follow(http: httpx.Client, dynamodb: Any, jobs_table: str) -> _Way:
    """Submits a job, waits until its record has ended, and reads it.

    Only then: a read of a job whose result is in S3 ends it before its completion message does.
    """
    sent_at = time.time()
    submitted = http.post("/v1/jobs", json=_REQUEST).raise_for_status().json()
    answered_at = time.time()
    ended_at = _wait_until_ended(dynamodb, jobs_table, submitted["id"])
    read_at = time.time()
    job = http.get(submitted["links"]["self"]).raise_for_status().json()
    seen_at = time.time()
    if job["status"] != "succeeded":
        raise RuntimeError(f"the job {job['id']} is {job['status']}: {job['error']}")
    stored_at = datetime.fromisoformat(job["finished_at"]).astimezone(UTC).timestamp()
    container_s = job["result"]["durations_s"]["total"]
    return _Way(
        dispatch=stored_at - sent_at - container_s,
        container=container_s,
        completion=ended_at - stored_at,
        read=seen_at - read_at,
        total=ended_at - sent_at + seen_at - read_at,
        submission=answered_at - sent_at,
    )


def _wait_until_ended(dynamodb: Any, jobs_table: str, job_id: str) -> float:
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        item = dynamodb.get_item(
            TableName=jobs_table, Key={"id": {"S": job_id}}, ProjectionExpression="finished_at"
        )["Item"]
        if "finished_at" in item:
            return time.time()
        time.sleep(_POLL_S)
    raise TimeoutError(f"the job {job_id} did not end within {_TIMEOUT_S} s")
