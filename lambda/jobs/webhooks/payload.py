"""The body of a webhook call."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from contract.submission import WebhookEvent
from jobs.http.views.job import JobView
from jobs.job import Job, JobSnapshot


class WebhookPayload(BaseModel):
    """An event of a job."""

    type: str = Field(description="`job.` and the event, such as `job.succeeded`.")
    timestamp: datetime = Field(description="When the event occurred.")
    data: JobView = Field(description="The job at the time of the call, without links to its images.")

    @classmethod
    def of(cls, job: Job, event: WebhookEvent, occurred_at: datetime, *, bucket: str) -> Self:
        """Creates the payload of a job whose images are stored in `bucket`."""
        view = JobView.of(JobSnapshot(job=job), bucket=bucket, presign=None)
        return cls(type=f"job.{event}", timestamp=occurred_at, data=view)
