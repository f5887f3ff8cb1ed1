"""Jobs with webhooks."""

from datetime import UTC, datetime, timedelta
from typing import Any

from contract.generation import Generation
from contract.model import ModelDeclaration
from contract.problem import ErrorCode, Problem
from contract.request import JobRequest
from contract.result import ImageResult, ResultDetails
from contract.safety import SafetyMode, SafetyReport
from contract.submission import WebhookEvent
from jobs.errors import JobNotFoundError
from jobs.job import Invocation, Job, Webhook
from jobs.lifecycle import JobStatus

JOB_ID = "01JNTXWQ8M6V3S0K2B9Z4RAHCE"
URL = "https://hooks.example/jobs?token=xyzzy"
CREATED = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
STARTED = CREATED + timedelta(minutes=4)
FINISHED = STARTED + timedelta(seconds=9)


def job_with_webhook(status: JobStatus = JobStatus.SUCCEEDED, **changes: Any) -> Job:
    """A job that is called for every event, one minute after its submission or later."""
    generation = Generation.resolve(
        JobRequest.model_validate({"prompt": "a red circle"}),
        ModelDeclaration(name="demo"),
        job_id=JOB_ID,
        seed=7,
    )
    settings: dict[str, Any] = {
        "generation": generation,
        "owner": "key:abc",
        "queue": "demo",
        "status": status,
        "created_at": CREATED,
        "expires_at": datetime(2026, 3, 31, 12, 30, 15, tzinfo=UTC),
        "due_at": None if status.is_terminal else FINISHED,
        "tags": ("team:docs",),
        "webhook": Webhook(url=URL, events=tuple(WebhookEvent)),
        "invocation": Invocation(
            endpoint="sd-dev-demo",
            output_location=f"s3://data/results/{JOB_ID}-1",
            failure_location=None,
        ),
        "started_at": None if status is JobStatus.QUEUED else STARTED,
        "finished_at": FINISHED if status.is_terminal else None,
    }
    if status is JobStatus.SUCCEEDED:
        settings["images"] = (
            ImageResult(
                s3_uri=f"s3://data/outputs/{JOB_ID}/0.png", seed=7, width=512, height=512, sha256="0" * 64
            ),
        )
        settings["result"] = ResultDetails(
            batch_size=1,
            revision="demo-1",
            fallbacks=(),
            safety=SafetyReport(mode=SafetyMode.OFF, detector=None),
            durations_s={"denoise": 2.5},
            versions={"diffusers": "0.42.1"},
        )
    if status is JobStatus.FAILED:
        settings["error"] = Problem.of(ErrorCode.OUT_OF_MEMORY, "Reduce width or height.")
    return Job(**settings | changes)


class StoredJobs:
    """The records of the jobs that exist."""

    def __init__(self, *jobs: Job) -> None:
        self._jobs = {job.id: job for job in jobs}

    def get(self, job_id: str) -> Job:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise JobNotFoundError(job_id) from None
