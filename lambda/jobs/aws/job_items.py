"""The items of the jobs table. Documents are stored as JSON text, which keeps floats exact."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from contract.generation import Generation
from contract.problem import Problem
from contract.result import ImageResult, ResultDetails
from contract.submission import WebhookEvent
from jobs.aws.attributes import Value
from jobs.job import Invocation, Job, UnfinishedJob, Webhook
from jobs.lifecycle import JobStatus
from jobs.ports import IdempotencyRecord
from jobs.prompt_text import searched
from jobs.workload import units_of, workload_of

_IMAGES = TypeAdapter(tuple[ImageResult, ...])
_IDEMPOTENCY_PREFIX = "idempotency#"


def job_to_values(job: Job) -> dict[str, Value | None]:
    """The attributes of a job's item; None for those that the item does not have."""
    generation, invocation, webhook = job.generation, job.invocation, job.webhook
    return {
        "id": job.id,
        "generation": generation.model_dump_json(),
        "model": generation.model,
        "searched": searched(generation.prompt),
        "owner": job.owner,
        "queue": job.queue,
        "status": job.status.value,
        "created_at": job.created_at.isoformat(),
        "expires_at": int(job.expires_at.timestamp()),
        "due_at": job.due_at.timestamp() if job.due_at else None,
        "tags": job.tags or None,
        "webhook_url": webhook.url if webhook else None,
        "webhook_events": tuple(event.value for event in webhook.events) if webhook else None,
        "webhook_prediction_address": webhook.prediction_address if webhook else None,
        "attempt": job.attempt,
        "interrupted": job.interrupted or None,
        "endpoint": invocation.endpoint if invocation else None,
        "output_location": invocation.output_location if invocation else None,
        "failure_location": invocation.failure_location if invocation else None,
        "started_at": _text(job.started_at),
        "finished_at": _text(job.finished_at),
        "images": _IMAGES.dump_json(job.images).decode() if job.images else None,
        "result": job.result.model_dump_json() if job.result else None,
        "error": job.error.model_dump_json() if job.error else None,
        "cancel_requested": job.cancel_requested or None,
        "workload": workload_of(generation),
        "units": units_of(generation),
        "revision": job.revision,
    }


def job_from_values(values: Mapping[str, Any]) -> Job:
    """The job of an item."""
    get = values.get
    endpoint, url = get("endpoint"), get("webhook_url")
    started_at, finished_at, due_at = get("started_at"), get("finished_at"), get("due_at")
    result, error = get("result"), get("error")
    return Job(
        generation=Generation.model_validate_json(values["generation"]),
        owner=values["owner"],
        queue=values["queue"],
        status=JobStatus(values["status"]),
        created_at=datetime.fromisoformat(values["created_at"]),
        expires_at=_moment(values["expires_at"]),
        due_at=None if due_at is None else _moment(due_at),
        tags=get("tags", ()),
        webhook=url
        and Webhook(
            url=url,
            events=tuple(map(WebhookEvent, values["webhook_events"])),
            prediction_address=get("webhook_prediction_address"),
        ),
        attempt=values["attempt"],
        interrupted=get("interrupted", False),
        invocation=endpoint
        and Invocation(
            endpoint=endpoint,
            output_location=values["output_location"],
            failure_location=get("failure_location"),
        ),
        started_at=started_at and datetime.fromisoformat(started_at),
        finished_at=finished_at and datetime.fromisoformat(finished_at),
        images=_IMAGES.validate_json(get("images", "[]")),
        result=result and ResultDetails.model_validate_json(result),
        error=error and Problem.model_validate_json(error),
        cancel_requested=get("cancel_requested", False),
        revision=values["revision"],
    )


def unfinished_from_values(values: Mapping[str, Any]) -> UnfinishedJob:
    """The summary of an item of the index of unfinished jobs."""
    started_at = values.get("started_at")
    return UnfinishedJob(
        id=values["id"],
        status=JobStatus(values["status"]),
        created_at=datetime.fromisoformat(values["created_at"]),
        started_at=started_at and datetime.fromisoformat(started_at),
        endpoint=values.get("endpoint"),
        workload=values["workload"],
        units=values["units"],
    )


def idempotency_id(key: str) -> str:
    """The id of the item of an idempotency key, which differs from every job's id."""
    return f"{_IDEMPOTENCY_PREFIX}{key}"


def idempotency_to_values(record: IdempotencyRecord) -> dict[str, Value]:
    """The item of an idempotency record."""
    return {
        "id": idempotency_id(record.key),
        "fingerprint": record.fingerprint,
        "job_id": record.job_id,
        "expires_at": int(record.expires_at.timestamp()),
    }


def idempotency_from_values(values: Mapping[str, Any]) -> IdempotencyRecord:
    """The idempotency record of an item."""
    return IdempotencyRecord(
        key=values["id"].removeprefix(_IDEMPOTENCY_PREFIX),
        fingerprint=values["fingerprint"],
        job_id=values["job_id"],
        expires_at=_moment(values["expires_at"]),
    )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
