"""The jobs of the soak test, and the check that each has ended in a true state."""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.soak.container import FATAL_PROMPT
from local.stack import LocalStack

_POLL_S = 1.0
_MAX_JOB_S = 450.0
MODEL_SETTINGS = {"request_ttl_s": 120, "invocation_timeout_s": 120}
"""A job whose container is killed, and whose failure message is dropped, expires after 360 s at most."""

_LOST_CODES = {"internal", "endpoint_unavailable"}
"""The errors of a job that was lost in both attempts."""


class UntrueStateError(AssertionError):
    """A job has not ended, or its state is not true."""


@dataclass
class Report:
    """The outcome of the jobs.

    Attributes:
        statuses: the number of jobs by final status, with the code of failed ones.
        attempts: the number of jobs by their last attempt.
        repeated: requests that were sent again, since the answer was an error.
        seconds: the time of each job, from its first submission.
        dead_letters: messages in the dead-letter queue; their jobs have ended all the same.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    attempts: Counter[int] = field(default_factory=Counter)
    repeated: int = 0
    seconds: list[float] = field(default_factory=list)
    dead_letters: int = 0
    ids: set[str] = field(default_factory=set)


def run(stack: LocalStack, *, jobs: int, clients: int, kills: int, with_fatal_request: bool) -> Report:
    """Submits jobs and follows each until it has ended; meanwhile the container is killed.

    Raises:
        UntrueStateError: a job does not end, is lost, or has the images of another job.
    """
    report, lock = Report(), threading.Lock()
    kill_at = {jobs * (number + 1) // (kills + 1) for number in range(kills)}
    fatal = jobs // 2 if with_fatal_request else None
    headers = {"x-api-key": stack.address.api_key}

    def follow(number: int) -> None:
        if number in kill_at:
            stack.kill_containers()
        prompt = FATAL_PROMPT if number == fatal else f"a red circle {number}"
        with httpx.Client(base_url=stack.address.api_url, headers=headers, timeout=60) as http:
            started_at = time.monotonic()
            repeated, job = _until_ended(
                http, {"prompt": prompt, "steps": 1, "seed": number}, f"soak-{number}"
            )
            status = _check(stack, job, number, is_fatal=number == fatal)
        with lock:
            report.repeated += repeated
            report.seconds.append(time.monotonic() - started_at)
            report.statuses[status] += 1
            report.attempts[job["attempt"]] += 1
            report.ids.add(job["id"])

    with ThreadPoolExecutor(clients) as executor:
        for done in [executor.submit(follow, number) for number in range(jobs)]:
            done.result()
    if len(report.ids) != jobs:
        raise UntrueStateError(f"{jobs} submissions have {len(report.ids)} jobs")
    report.dead_letters = _count_dead_letters(stack)
    return report


def _until_ended(http: httpx.Client, request: dict[str, Any], key: str) -> tuple[int, Any]:
    """Submits a job and follows it, again after errors that may pass; returns repetitions and job."""
    deadline = time.monotonic() + _MAX_JOB_S
    repeated, path = 0, ""
    while time.monotonic() < deadline:
        response = (
            http.get(path) if path else http.post("/v1/jobs", json=request, headers={"Idempotency-Key": key})
        )
        if response.is_success:
            job = response.json()
            if job["finished_at"] is not None:
                return repeated, job
            path = job["links"]["self"]
        elif not response.json()["retryable"]:
            raise UntrueStateError(response.text)
        else:
            repeated += 1
        time.sleep(_POLL_S)
    raise UntrueStateError(f"the job {path} did not end within {_MAX_JOB_S:.0f} s: {response.text}")


def _check(stack: LocalStack, job: Any, number: int, *, is_fatal: bool) -> str:
    """Checks that the job's state is true, and returns its name."""
    if job["status"] == "succeeded":
        (image,) = job["images"]
        content = httpx.get(image["url"], verify=stack.aws.ssl_context()).content
        is_own = f"/{job['id']}/" in image["s3_uri"] and image["seed"] == number
        if is_fatal or not is_own or hashlib.sha256(content).hexdigest() != image["sha256"]:
            raise UntrueStateError(f"job {job['id']} has an image that is not its own")
        return "succeeded"
    if job["status"] == "expired":
        return "expired"
    if job["status"] != "failed" or job["error"]["code"] not in _LOST_CODES or job["attempt"] != 2:
        raise UntrueStateError(f"job {job['id']} is {job['status']}: {job['error']}")
    return f"failed: {job['error']['code']}"


def _count_dead_letters(stack: LocalStack) -> int:
    sqs = stack.aws.client("sqs")
    urls = [url for url in sqs.list_queues().get("QueueUrls", []) if "DeadLetters" in url]
    attribute = "ApproximateNumberOfMessages"
    return sum(
        int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])["Attributes"][attribute])
        for url in urls
    )


def table(report: Report, faults: Counter[str], seconds: Callable[[float], str] = "{:.1f} s".format) -> str:
    """The report as a Markdown table."""
    times = sorted(report.seconds)
    rows = {
        "jobs": str(len(times)),
        **{name: str(count) for name, count in sorted(report.statuses.items())},
        "submitted twice by the service": str(report.attempts[2]),
        "requests that the clients repeated": str(report.repeated),
        "completion messages dropped, doubled, delayed": ", ".join(
            str(faults[name]) for name in ("dropped", "doubled", "delayed")
        ),
        "dead letters": str(report.dead_letters),
        "time of a job: median, longest": f"{seconds(times[len(times) // 2])}, {seconds(times[-1])}",
    }
    lines = (f"| {name} | {value} |" for name, value in rows.items())
    return "\n".join(("| | |", "| --- | ---: |", *lines))
