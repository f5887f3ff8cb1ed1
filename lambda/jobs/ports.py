"""Interfaces of the services' dependencies: records, objects, endpoints, estimates, webhooks, keys."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contract.adapters import AdapterKind
from contract.generation import Generation
from contract.identifiers import InvocationId, S3Location
from contract.problem import Problem
from contract.progress import Progress
from contract.result import GenerationResult
from contract.submission import WebhookEvent
from jobs.inline_images import InlineImage
from jobs.job import Invocation, Job, JobFilters, JobPage, UnfinishedJob


@dataclass(frozen=True, kw_only=True)
class IdempotencyRecord:
    """The job that was created for an idempotency key.

    Attributes:
        key: digest of the caller and the key.
        fingerprint: digest of the request.
        expires_at: when the key may be used again, in whole seconds.
    """

    key: str
    fingerprint: str
    job_id: str
    expires_at: datetime


class JobRepository(Protocol):
    """The job records."""

    def create(self, job: Job, idempotency: IdempotencyRecord | None = None) -> IdempotencyRecord | None:
        """Stores a new job, and the record of its idempotency key, in one transaction.

        Repeating the call with the same arguments changes nothing.

        Returns:
            The unexpired record of the same key that belongs to another job, if any: nothing was stored.
        """
        ...

    def release_idempotency(self, key: str, job_id: str) -> None:
        """Deletes the record of an idempotency key, unless it belongs to another job than this one."""
        ...

    def find_idempotency(self, key: str) -> IdempotencyRecord | None:
        """Returns the record of an idempotency key; None if there is none. Expired ones may be returned."""
        ...

    def get(self, job_id: str) -> Job:
        """Returns the stored job. Reads are strongly consistent.

        Raises:
            JobNotFoundError: there is no such job.
        """
        ...

    def save(self, job: Job) -> bool:
        """Stores a changed job with the next revision.

        Args:
            job: the changed record, with the revision of the record that it was made from.

        Returns:
            False if the stored record has another revision, or is deleted: nothing was stored.

        Raises:
            RecordTooLargeError: the record exceeds the limit of the table.
        """
        ...

    def delete(self, job_id: str) -> None:
        """Deletes the record; there may be none."""
        ...

    def find(self, owner: str | None, filters: JobFilters, *, limit: int, before: str | None) -> JobPage:
        """Returns jobs, newest first. May return fewer than `limit`, even none, before the list has ended.

        Args:
            owner: the jobs of this caller; None for those that are visible to all.
            filters: the jobs to return.
            limit: the number of jobs at most.
            before: return older jobs than this id.
        """
        ...

    def overdue(self, queue: str, now: datetime) -> Iterable[str]:
        """The ids of the queue's unfinished jobs whose `due_at` has passed, the longest overdue first.

        Reads are eventually consistent.
        """
        ...

    def unfinished(self, queue: str) -> Iterable[UnfinishedJob]:
        """The queue's unfinished jobs, the ones due first first. Reads are eventually consistent."""
        ...


class JobDocuments(Protocol):
    """The objects of a job in S3."""

    def put_inline_image(self, image: InlineImage) -> None:
        """Stores an image that was part of a request.

        Raises:
            EndpointUnavailableError: the image could not be stored.
        """
        ...

    def mark_canceled(self, job_id: str) -> None:
        """Stores the marker that makes the container stop the job; repeating the call changes nothing.

        Raises:
            EndpointUnavailableError: the marker could not be stored.
        """
        ...

    def read_progress(self, job_id: str) -> Progress | None:
        """Returns the container's latest progress; None before the first one."""
        ...

    def find_result(self, invocation: InvocationId) -> str | None:
        """Returns the `s3://` URI of the invocation's result document; None if there is none.

        Lists the keys that begin with the invocation's id: for invocations whose locations are not known.
        """
        ...

    def find_failure(self, invocation: InvocationId) -> str | None:
        """Returns the `s3://` URI of the error that the container responded with; see `find_result`."""
        ...

    def read_result(self, uri: str) -> GenerationResult | None:
        """Returns the result document at the URI; None if there is no object.

        Raises:
            UnreadableDocumentError: the object is not a result document.
        """
        ...

    def read_problem(self, uri: str) -> Problem | None:
        """Returns the container's problem document at the URI; None if there is no object.

        Raises:
            UnreadableDocumentError: the object is not a problem document.
        """
        ...

    def read_image(self, uri: str, *, max_bytes: int) -> bytes | None:
        """Returns the file of an image or of a preview; None if there is none.

        Raises:
            FileTooLargeError: the file has more than `max_bytes`.
        """
        ...

    def delete(self, generation: Generation) -> None:
        """Deletes all objects of a job: inputs, outputs, previews, markers and responses.

        Raises:
            EndpointUnavailableError: objects could not be deleted; the call may be repeated.
        """
        ...

    def presign(self, uri: str) -> "Link":
        """Returns a link to the object that works without credentials for an hour at most."""
        ...

    def presign_upload(self, location: S3Location, content_type: str, size: int) -> "UploadForm":
        """Returns a form that uploads one object with this content type and size."""
        ...


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link that works without credentials.

    Attributes:
        expires_at: the earlier end of the link and of the credentials that signed it, as far as known.
    """

    url: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class UploadForm:
    """The address and the fields of a multipart/form-data POST that uploads a file."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


class Endpoints(Protocol):
    """The models' asynchronous endpoints."""

    def invoke(self, generation: Generation, attempt: int) -> Invocation:
        """Invokes the endpoint of the generation's model, once.

        Raises:
            EndpointUnavailableError: the endpoint does not exist, is not in service or is throttled.
            UnconfirmedInvocationError: the answer was lost.
        """
        ...

    def instances(self, queue: str) -> int | None:
        """The number of instances in service at the queue's endpoint; None if unknown. May be 15 s old."""
        ...

    def exists(self, endpoint: str) -> bool:
        """Whether there is an endpoint with this name. True if that cannot be found out."""
        ...


class Estimates(Protocol):
    """Measured times: of processing by workload, and of waking an endpoint."""

    def add_processing(self, workload: str, seconds_per_unit: float) -> None:
        """Adds a measurement; see `UnfinishedJob`. Only the latest measurements are kept."""
        ...

    def processing(self, workloads: Iterable[str]) -> dict[str, tuple[float, ...]]:
        """The latest measurements by workload, in seconds for each unit; none for unknown workloads."""
        ...

    def waking(self, queue: str) -> "Waking":
        """The queue's waking times."""
        ...

    def set_waking(self, queue: str, waking: "Waking") -> None:
        """Stores the queue's waking times."""
        ...


@dataclass(frozen=True, kw_only=True)
class Waking:
    """Times to wake an endpoint without instances.

    Attributes:
        since: when the oldest job that waits for an instance was submitted; None while there are instances.
        seconds: the latest measurements.
    """

    since: datetime | None = None
    seconds: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AdapterObject:
    """An object of the models bucket that may belong to an adapter.

    Attributes:
        size: in bytes; not 0.
    """

    key: str
    size: int
    modified_at: datetime


class AdapterObjects(Protocol):
    """The objects of adapters in the models bucket."""

    def of(self, kind: AdapterKind, *, until: float) -> Iterable[AdapterObject]:
        """The objects below the kind's prefix, in the order of their keys; of very many, the first ones.

        Objects in directories are left out if the kind has none.

        Args:
            kind: the kind of the adapters.
            until: when to give up, in seconds of `time.monotonic`.

        Raises:
            AdaptersUnavailableError: the objects cannot be listed, or not in time.
        """
        ...


class WebhookQueue(Protocol):
    """The queue of webhook deliveries."""

    def send(self, job_id: str, event: WebhookEvent) -> None:
        """Queues a delivery. It is made once the job's record shows the event."""
        ...


class SigningKeys(Protocol):
    """The stage's signing secret."""

    def read(self) -> tuple[bytes, ...]:
        """The current secret, followed by the previous one if there is one."""
        ...
