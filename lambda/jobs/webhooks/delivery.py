"""Webhook calls: the use case of the webhook function."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from urllib.parse import urlsplit

from contract.submission import WebhookEvent
from jobs.compatibility.replicate.prediction import Prediction
from jobs.errors import JobNotFoundError
from jobs.job import Job, JobSnapshot, Webhook
from jobs.ports import JobRepository, Link, SigningKeys
from jobs.webhooks.message import WebhookMessage
from jobs.webhooks.payload import WebhookPayload
from jobs.webhooks.ports import ForbiddenReceiverError, Receivers, UnreachableReceiverError
from jobs.webhooks.retries import parse_retry_after
from jobs.webhooks.signing import signed_headers

_HEADERS = {"Content-Type": "application/json", "User-Agent": "stable-diffusion-quick-kit"}


class Decision(StrEnum):
    """The consequence of an attempt for its message."""

    DELIVERED = "delivered"
    DROPPED = "dropped"
    """There is no further attempt."""

    RETRIED = "retried"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """The result of an attempt to call a webhook, without anything secret.

    Attributes:
        reason: why the event was not delivered; None if it was.
        host: the receiver's host; None if none was called.
        status: the HTTP status of the response; None without a response.
        retry_after_s: the pause that the receiver asked for, in seconds; None if it did not.
    """

    decision: Decision
    reason: str | None = None
    host: str | None = None
    status: int | None = None
    retry_after_s: int | None = None


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class WebhookDelivery:
    """Calls webhooks for the events that the jobs' records show.

    Attributes:
        bucket: the stage's data bucket.
        link: makes the links to images, which predictions contain.
    """

    jobs: JobRepository
    keys: SigningKeys
    receivers: Receivers
    bucket: str
    link: Callable[[str], Link]
    clock: Callable[[], datetime] = _utc_now

    def attempt(self, message: WebhookMessage) -> Attempt:
        """Calls the job's webhook once, if its record shows the event.

        Messages are sent before the record changes, so an unfinished job's final event is retried.
        """
        try:
            job = self.jobs.get(message.job_id)
        except JobNotFoundError:
            return Attempt(decision=Decision.DROPPED, reason="the job was deleted")
        if job.webhook is None or message.event not in job.webhook.events:
            return Attempt(decision=Decision.DROPPED, reason="the job has no webhook for this event")
        occurred_at = _time_of(message.event, job)
        if occurred_at is None and job.status.is_terminal:
            return Attempt(decision=Decision.DROPPED, reason=f"the job has ended as {job.status}")
        if occurred_at is None:
            return Attempt(decision=Decision.RETRIED, reason="the job's record does not show the event yet")
        body = self._body(job, job.webhook, message.event, occurred_at)
        return self._call(job.webhook.url, f"{job.id}-{message.event}", body)

    def _body(self, job: Job, webhook: Webhook, event: WebhookEvent, occurred_at: datetime) -> str:
        if webhook.prediction_address is not None:
            snapshot = JobSnapshot(job=job)
            prediction = Prediction.of(snapshot, address=webhook.prediction_address, link=self.link)
            return prediction.model_dump_json()
        return WebhookPayload.of(job, event, occurred_at, bucket=self.bucket).model_dump_json()

    def _call(self, url: str, message_id: str, body: str) -> Attempt:
        host, now = urlsplit(url).hostname, self.clock()
        headers = _HEADERS | signed_headers(message_id, now, body, self.keys.read())
        try:
            response = self.receivers.post(url, headers, body.encode())
        except ForbiddenReceiverError:
            reason = "the host is not on the public internet"
            return Attempt(decision=Decision.DROPPED, reason=reason, host=host)
        except UnreachableReceiverError as error:
            return Attempt(decision=Decision.RETRIED, reason=str(error), host=host)
        if 200 <= response.status < 300:
            return Attempt(decision=Decision.DELIVERED, host=host, status=response.status)
        gone = response.status == HTTPStatus.GONE
        return Attempt(
            decision=Decision.DROPPED if gone else Decision.RETRIED,
            reason="the receiver wants no calls" if gone else "the receiver did not accept the call",
            host=host,
            status=response.status,
            retry_after_s=parse_retry_after(response.retry_after, now),
        )


def _time_of(event: WebhookEvent, job: Job) -> datetime | None:
    """When the event occurred; None if the record does not show it."""
    if event is WebhookEvent.STARTED:
        return job.started_at
    return job.finished_at if job.status.value == event.value else None
