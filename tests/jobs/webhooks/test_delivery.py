"""The decision about each message: the event that the job's record shows, and the receiver's response."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from contract.submission import FINAL_EVENTS, WebhookEvent
from jobs.job import Webhook as JobWebhook
from jobs.lifecycle import TERMINAL, UNFINISHED, JobStatus
from jobs.webhooks.delivery import Attempt, Decision, WebhookDelivery
from jobs.webhooks.message import WebhookMessage
from jobs.webhooks.ports import ForbiddenReceiverError, Response, UnreachableReceiverError
from tests.jobs.fakes import InMemoryDocuments
from tests.jobs.fakes_webhooks import InMemoryReceivers, InMemorySigningKeys
from tests.jobs.webhooks.webhook_jobs import FINISHED, JOB_ID, STARTED, URL, StoredJobs, job_with_webhook
from tests.waiting import LIMIT_S

OK = Response(status=200)
CURRENT, PREVIOUS, OTHER = b"current" * 6, b"previous" * 6, b"other" * 9


def delivery(
    jobs: StoredJobs,
    receivers: InMemoryReceivers,
    keys: tuple[bytes, ...] = (CURRENT,),
    age: timedelta = timedelta(),
) -> WebhookDelivery:
    """The delivery, whose clock is behind by `age`; the library refuses calls older than five minutes."""
    stored: Any = jobs
    now = datetime.now(UTC)
    return WebhookDelivery(
        jobs=stored,
        keys=InMemorySigningKeys(*keys),
        receivers=receivers,
        bucket="data",
        link=InMemoryDocuments().presign,
        clock=lambda: now - age,
    )


def attempt(jobs: StoredJobs, receivers: InMemoryReceivers, event: WebhookEvent) -> Attempt:
    return delivery(jobs, receivers).attempt(WebhookMessage(job_id=JOB_ID, event=event))


@pytest.mark.parametrize("status", TERMINAL)
@pytest.mark.parametrize("event", FINAL_EVENTS)
def test_a_final_event_is_delivered_if_it_is_the_jobs_status_and_dropped_otherwise(
    status: JobStatus, event: WebhookEvent
) -> None:
    receivers = InMemoryReceivers(OK)
    result = attempt(StoredJobs(job_with_webhook(status)), receivers, event)
    if event.value == status.value:
        assert result == Attempt(decision=Decision.DELIVERED, host="hooks.example", status=200)
        (call,) = receivers.calls
        body = json.loads(call[2])
        assert call[0] == URL
        assert (body["type"], body["data"]["status"]) == (f"job.{event}", status)
        assert datetime.fromisoformat(body["timestamp"]) == FINISHED
    else:
        reason = f"the job has ended as {status}"
        assert result == Attempt(decision=Decision.DROPPED, reason=reason)
        assert receivers.calls == []


@pytest.mark.parametrize(
    ("event", "status", "shown", "images"),
    [
        (WebhookEvent.STARTED, JobStatus.RUNNING, "processing", None),
        (WebhookEvent.SUCCEEDED, JobStatus.SUCCEEDED, "succeeded", 1),
        (WebhookEvent.FAILED, JobStatus.FAILED, "failed", None),
    ],
)
def test_the_call_for_a_prediction_contains_the_prediction(
    event: WebhookEvent, status: JobStatus, shown: str, images: int | None
) -> None:
    address = "https://api.example.com/dev/replicate/v1"
    webhook = JobWebhook(url=URL, events=tuple(WebhookEvent), prediction_address=address)
    receivers = InMemoryReceivers(OK)
    attempt(StoredJobs(job_with_webhook(status, webhook=webhook)), receivers, event)
    (call,) = receivers.calls
    prediction = json.loads(call[2])
    assert (prediction["id"], prediction["status"]) == (JOB_ID, shown)
    assert prediction["urls"]["get"] == f"{address}/predictions/{JOB_ID}"
    assert (prediction["output"] and len(prediction["output"])) == images


@pytest.mark.parametrize("status", UNFINISHED)
@pytest.mark.parametrize("event", FINAL_EVENTS)
def test_a_final_event_of_an_unfinished_job_is_retried_without_a_call(
    status: JobStatus, event: WebhookEvent
) -> None:
    result = attempt(StoredJobs(job_with_webhook(status)), InMemoryReceivers(), event)
    assert (result.decision, result.host) == (Decision.RETRIED, None)


@pytest.mark.parametrize("status", [JobStatus.RUNNING, *TERMINAL])
def test_the_start_is_delivered_once_the_job_has_started_even_if_it_has_ended_since(
    status: JobStatus,
) -> None:
    receivers = InMemoryReceivers(OK)
    result = attempt(StoredJobs(job_with_webhook(status)), receivers, WebhookEvent.STARTED)
    assert result.decision is Decision.DELIVERED
    body = json.loads(receivers.calls[0][2])
    assert (body["type"], body["data"]["status"]) == ("job.started", status)
    assert datetime.fromisoformat(body["timestamp"]) == STARTED


def test_the_start_of_a_queued_job_is_retried() -> None:
    jobs = StoredJobs(job_with_webhook(JobStatus.QUEUED))
    assert attempt(jobs, InMemoryReceivers(), WebhookEvent.STARTED).decision is Decision.RETRIED


def test_the_start_of_a_job_that_ended_before_it_started_is_dropped() -> None:
    jobs = StoredJobs(job_with_webhook(JobStatus.CANCELED, started_at=None))
    assert attempt(jobs, InMemoryReceivers(), WebhookEvent.STARTED).decision is Decision.DROPPED


@pytest.mark.parametrize(
    "jobs",
    [
        StoredJobs(),
        StoredJobs(job_with_webhook(webhook=None)),
        StoredJobs(job_with_webhook(webhook=JobWebhook(url=URL, events=(WebhookEvent.FAILED,)))),
    ],
    ids=["deleted", "no webhook", "another event"],
)
def test_events_that_no_webhook_is_called_for_are_dropped(jobs: StoredJobs) -> None:
    receivers = InMemoryReceivers()
    assert attempt(jobs, receivers, WebhookEvent.SUCCEEDED).decision is Decision.DROPPED
    assert receivers.calls == []


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_each_2xx_status_is_a_delivery(status: int) -> None:
    receivers = InMemoryReceivers(Response(status=status))
    result = attempt(StoredJobs(job_with_webhook()), receivers, WebhookEvent.SUCCEEDED)
    assert result == Attempt(decision=Decision.DELIVERED, host="hooks.example", status=status)


@pytest.mark.parametrize("status", [199, 301, 302, 307, 308, 400, 401, 404, 408, 409, 429, 500, 502, 503])
def test_every_other_status_but_410_is_retried(status: int) -> None:
    receivers = InMemoryReceivers(Response(status=status, retry_after="120"))
    result = attempt(StoredJobs(job_with_webhook()), receivers, WebhookEvent.SUCCEEDED)
    assert (result.decision, result.status, result.retry_after_s) == (Decision.RETRIED, status, 120)


def test_a_receiver_that_is_gone_is_not_called_again() -> None:
    receivers = InMemoryReceivers(Response(status=410))
    result = attempt(StoredJobs(job_with_webhook()), receivers, WebhookEvent.SUCCEEDED)
    assert (result.decision, result.status) == (Decision.DROPPED, 410)


def test_a_receiver_outside_the_public_internet_is_not_called_again() -> None:
    receivers = InMemoryReceivers(ForbiddenReceiverError())
    result = attempt(StoredJobs(job_with_webhook()), receivers, WebhookEvent.SUCCEEDED)
    assert (result.decision, result.host) == (Decision.DROPPED, "hooks.example")


def test_a_receiver_that_does_not_respond_is_called_again() -> None:
    receivers = InMemoryReceivers(UnreachableReceiverError("the host cannot be resolved"))
    result = attempt(StoredJobs(job_with_webhook()), receivers, WebhookEvent.SUCCEEDED)
    assert result == Attempt(
        decision=Decision.RETRIED, reason="the host cannot be resolved", host="hooks.example"
    )


def test_the_library_verifies_a_call_with_the_current_and_with_the_previous_key() -> None:
    receivers = InMemoryReceivers(OK)
    message = WebhookMessage(job_id=JOB_ID, event=WebhookEvent.SUCCEEDED)
    delivery(StoredJobs(job_with_webhook()), receivers, (CURRENT, PREVIOUS)).attempt(message)
    ((_, headers, body),) = receivers.calls
    for key in (CURRENT, PREVIOUS):
        assert Webhook(key).verify(body, headers)["data"]["id"] == JOB_ID
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(CURRENT).verify(body.replace(b"job.succeeded", b"job.failed"), headers)
    assert headers["Content-Type"] == "application/json"


def test_calls_are_repeated_with_the_same_id_and_the_time_of_each_call() -> None:
    receivers = InMemoryReceivers(Response(status=500), OK)
    message = WebhookMessage(job_id=JOB_ID, event=WebhookEvent.SUCCEEDED)
    jobs = StoredJobs(job_with_webhook())
    for age in (timedelta(minutes=2), timedelta()):
        delivery(jobs, receivers, age=age).attempt(message)
    first, second = (headers for _, headers, _ in receivers.calls)
    assert first["webhook-id"] == second["webhook-id"] == f"{JOB_ID}-succeeded"
    assert 120 <= int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) < 120 + LIMIT_S
    for headers, (_, _, body) in zip((first, second), receivers.calls, strict=True):
        Webhook(CURRENT).verify(body, headers)


def test_the_payload_contains_no_links_to_the_images() -> None:
    receivers = InMemoryReceivers(OK)
    attempt(StoredJobs(job_with_webhook()), receivers, WebhookEvent.SUCCEEDED)
    (image,) = json.loads(receivers.calls[0][2])["data"]["images"]
    assert image["url"] is None
    assert image["s3_uri"] == f"s3://data/outputs/{JOB_ID}/0.png"
