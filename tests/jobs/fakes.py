"""In-memory implementations of the ports, and builders of jobs and results."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from contract.adapters import AdapterKind
from contract.environment import ModelEndpoint
from contract.generation import Generation
from contract.identifiers import InvocationId, S3Location, new_job_id
from contract.model import ModelDeclaration, ModelLimits
from contract.problem import ErrorCode, Problem
from contract.progress import Progress
from contract.request import JobRequest
from contract.result import GenerationResult, ImageResult, ResultDetails
from contract.safety import SafetyMode, SafetyReport
from jobs.caller import Caller
from jobs.catalog import ModelCatalog
from jobs.changes import JobChanges
from jobs.completion import CompletionService
from jobs.deadlines import due_unconfirmed
from jobs.errors import (
    AdaptersUnavailableError,
    EndpointUnavailableError,
    FileTooLargeError,
    JobNotFoundError,
    UnconfirmedInvocationError,
    UnreadableDocumentError,
)
from jobs.estimation import EstimationService
from jobs.inline_images import InlineImage
from jobs.input_access import InputAccess
from jobs.invoker import Invoker
from jobs.job import Invocation, Job, JobFilters, JobPage, UnfinishedJob
from jobs.lifecycle import JobStatus
from jobs.ports import AdapterObject, IdempotencyRecord, Link, UploadForm, Waking
from jobs.reconciliation import Reconciler
from jobs.service import JobService
from jobs.submission import SubmissionService
from jobs.synchronous import SynchronousService
from jobs.workload import units_of, workload_of
from tests.jobs.fakes_webhooks import InMemoryWebhookQueue

Document = TypeVar("Document")

BUCKET = "data"
NOW = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
RETENTION = timedelta(days=30)
DEMO = ModelDeclaration(name="demo", limits=ModelLimits(max_size=768, max_count=4))
OTHER = ModelDeclaration(name="other")
ENDPOINTS = {
    model.name: ModelEndpoint(model=model, queue="demo", endpoint_parameter="/endpoints/demo")
    for model in (DEMO, OTHER)
}
OUTPUT_PREFIX = "s3://team/images/"
CALLER = Caller("key:default")
FAILURE = Problem.of(ErrorCode.OUT_OF_MEMORY, "Reduce width or height.")


def invocation_of(job: Job, attempt: int = 1) -> Invocation:
    """The invocation that the in-memory endpoint returns for an attempt."""
    return _invocation(InvocationId(job.id, attempt))


def _invocation(invocation: InvocationId) -> Invocation:
    return Invocation(
        endpoint="endpoint-1",
        output_location=f"s3://{BUCKET}/results/{invocation}",
        failure_location=f"s3://{BUCKET}/failures/{invocation}-error.out",
    )


def a_job(**request: object) -> Job:
    generation = Generation.resolve(
        JobRequest.model_validate({"prompt": "a red circle", **request}), DEMO, job_id=new_job_id(), seed=7
    )
    return Job(
        generation=generation,
        owner=CALLER.id,
        queue="demo",
        status=JobStatus.QUEUED,
        created_at=NOW,
        expires_at=(NOW + RETENTION).replace(microsecond=0),
        due_at=due_unconfirmed(NOW),
    )


def a_result(generation: Generation) -> GenerationResult:
    images = tuple(
        ImageResult(
            s3_uri=f"s3://data/outputs/{generation.id}/{i}.png", seed=seed, width=64, height=64, sha256="00"
        )
        for i, seed in enumerate(generation.seeds)
    )
    return GenerationResult(
        id=generation.id,
        model=generation.model,
        images=images,
        sampler=generation.sampler,
        steps=generation.steps,
        guidance_scale=generation.guidance_scale,
        **dict(DETAILS),
    )


DETAILS = ResultDetails(
    batch_size=2,
    revision="revision-1",
    fallbacks=("VAE tiling was enabled.",),
    safety=SafetyReport(mode=SafetyMode.FLAG, detector="detector-1"),
    durations_s={"denoise": 1.5, "total": 3.0},
    versions={"diffusers": "1"},
)
"""The details of `a_result`."""


class InMemoryJobs:
    def __init__(self, *, shared: bool = True) -> None:
        self.jobs: dict[str, Job] = {}
        self.idempotency: dict[str, IdempotencyRecord] = {}
        self.shared = shared

    def create(self, job: Job, idempotency: IdempotencyRecord | None = None) -> IdempotencyRecord | None:
        if idempotency is not None:
            known = self.idempotency.get(idempotency.key)
            if known is not None and known.expires_at > job.created_at and known.job_id != job.id:
                return known
            self.idempotency[idempotency.key] = idempotency
        self.jobs.setdefault(job.id, job)
        return None

    def find_idempotency(self, key: str) -> IdempotencyRecord | None:
        return self.idempotency.get(key)

    def release_idempotency(self, key: str, job_id: str) -> None:
        if key in self.idempotency and self.idempotency[key].job_id == job_id:
            del self.idempotency[key]

    def get(self, job_id: str) -> Job:
        try:
            return self.jobs[job_id]
        except KeyError:
            raise JobNotFoundError(job_id) from None

    def save(self, job: Job) -> bool:
        stored = self.jobs.get(job.id)
        if stored is None or stored.revision != job.revision:
            return False
        self.jobs[job.id] = replace(job, revision=job.revision + 1)
        return True

    def delete(self, job_id: str) -> None:
        self.jobs.pop(job_id, None)

    def find(self, owner: str | None, filters: JobFilters, *, limit: int, before: str | None) -> JobPage:
        found = [
            job
            for job in sorted(self.jobs.values(), key=lambda each: each.id, reverse=True)
            if owner in (None, job.owner) and (before is None or job.id < before) and filters.match(job)
        ]
        page = tuple(found[:limit])
        return JobPage(jobs=page, last_id=page[-1].id if len(found) > limit else None)

    def overdue(self, queue: str, now: datetime) -> Iterable[str]:
        due = [job for job in self._unfinished(queue) if job.due_at is not None and job.due_at <= now]
        return [job.id for job in due]

    def unfinished(self, queue: str) -> Iterable[UnfinishedJob]:
        return [
            UnfinishedJob(
                id=job.id,
                status=job.status,
                created_at=job.created_at,
                started_at=job.started_at,
                endpoint=job.invocation.endpoint if job.invocation else None,
                workload=workload_of(job.generation),
                units=units_of(job.generation),
            )
            for job in self._unfinished(queue)
        ]

    def _unfinished(self, queue: str) -> list[Job]:
        jobs = [job for job in self.jobs.values() if job.queue == queue and job.due_at is not None]
        return sorted(jobs, key=lambda each: each.due_at or NOW)


@dataclass
class InMemoryDocuments:
    progress: dict[str, Progress] = field(default_factory=dict)
    responses: dict[str, object] = field(default_factory=dict)
    images: list[InlineImage] = field(default_factory=list)
    canceled: set[str] = field(default_factory=set)
    deleted: list[str] = field(default_factory=list)
    unavailable: bool = False
    files: dict[str, bytes] = field(default_factory=dict)

    def put_inline_image(self, image: InlineImage) -> None:
        self._check()
        self.images.append(image)

    def mark_canceled(self, job_id: str) -> None:
        self._check()
        self.canceled.add(job_id)

    def read_progress(self, job_id: str) -> Progress | None:
        return self.progress.get(job_id)

    def find_result(self, invocation: InvocationId) -> str | None:
        return self._find(f"s3://{BUCKET}/results/{invocation}")

    def find_failure(self, invocation: InvocationId) -> str | None:
        return self._find(f"s3://{BUCKET}/failures/{invocation}")

    def read_result(self, uri: str) -> GenerationResult | None:
        return self._read(uri, GenerationResult)

    def read_problem(self, uri: str) -> Problem | None:
        return self._read(uri, Problem)

    def read_image(self, uri: str, *, max_bytes: int) -> bytes | None:
        data = self.files.get(uri)
        if data is not None and len(data) > max_bytes:
            raise FileTooLargeError(uri)
        return data

    def delete(self, generation: Generation) -> None:
        self._check()
        self.deleted.append(generation.id)

    def presign(self, uri: str) -> Link:
        return Link(url=f"https://signed/{uri.removeprefix('s3://')}", expires_at=NOW + timedelta(hours=1))

    def presign_upload(self, location: S3Location, content_type: str, size: int) -> UploadForm:
        fields = {"key": location.key, "Content-Type": content_type, "size": str(size)}
        return UploadForm(
            url=f"https://{location.bucket}", fields=fields, expires_at=NOW + timedelta(minutes=15)
        )

    def _check(self) -> None:
        if self.unavailable:
            raise EndpointUnavailableError("the data bucket is unavailable")

    def _find(self, prefix: str) -> str | None:
        return next((uri for uri in self.responses if uri.startswith(prefix)), None)

    def _read(self, uri: str, kind: type[Document]) -> Document | None:
        document = self.responses.get(uri)
        if document is not None and not isinstance(document, kind):
            raise UnreadableDocumentError(uri)
        return document


@dataclass
class InMemoryEndpoints:
    """Endpoints that accept every invocation.

    Attributes:
        unavailable: invocations are refused.
        unconfirmed: invocations are accepted, and the answers are lost.
        count: the number of instances.
        missing: the names of endpoints that do not exist.
    """

    invocations: list[InvocationId] = field(default_factory=list)
    unavailable: bool = False
    unconfirmed: bool = False
    count: int | None = 1
    missing: set[str] = field(default_factory=set)

    def invoke(self, generation: Generation, attempt: int) -> Invocation:
        if self.unavailable:
            raise EndpointUnavailableError("the endpoint is unavailable")
        invocation = InvocationId(generation.id, attempt)
        self.invocations.append(invocation)
        if self.unconfirmed:
            raise UnconfirmedInvocationError(str(invocation))
        return _invocation(invocation)

    def instances(self, _queue: str) -> int | None:
        return self.count

    def exists(self, endpoint: str) -> bool:
        return endpoint not in self.missing


@dataclass
class InMemoryEstimates:
    measured: dict[str, tuple[float, ...]] = field(default_factory=dict)
    wakings: dict[str, Waking] = field(default_factory=dict)

    def add_processing(self, workload: str, seconds_per_unit: float) -> None:
        self.measured[workload] = (*self.measured.get(workload, ()), seconds_per_unit)

    def processing(self, workloads: Iterable[str]) -> dict[str, tuple[float, ...]]:
        return {each: self.measured[each] for each in workloads if each in self.measured}

    def waking(self, queue: str) -> Waking:
        return self.wakings.get(queue, Waking())

    def set_waking(self, queue: str, waking: Waking) -> None:
        self.wakings[queue] = waking


@dataclass
class InMemoryAdapterObjects:
    """The objects of adapters.

    Attributes:
        unavailable: listing fails.
        listed: the prefixes that were listed.
    """

    objects: list[AdapterObject] = field(default_factory=list)
    unavailable: bool = False
    listed: list[str] = field(default_factory=list)

    def put(self, key: str, size: int = 1, modified_at: datetime = NOW) -> None:
        self.objects.append(AdapterObject(key=key, size=size, modified_at=modified_at))

    def of(self, kind: AdapterKind, *, until: float) -> Iterable[AdapterObject]:
        self.listed.append(kind.prefix)
        if self.unavailable or time.monotonic() > until:
            raise AdaptersUnavailableError("the models bucket is unavailable")
        found = [each for each in self.objects if each.key.startswith(kind.prefix) and each.size]
        if not kind.has_directories:
            found = [each for each in found if "/" not in each.key.removeprefix(kind.prefix)]
        return sorted(found, key=lambda each: each.key)


@dataclass
class InMemoryBackend:
    """The in-memory ports, and the services that use them.

    Attributes:
        now: the time; tests move it.
        shared: whether callers see the jobs of others.
        slept_s: the seconds that requests have waited; the time moves with them.
        on_sleep: called whenever a request waits.
    """

    jobs: InMemoryJobs = field(default_factory=InMemoryJobs)
    documents: InMemoryDocuments = field(default_factory=InMemoryDocuments)
    endpoints: InMemoryEndpoints = field(default_factory=InMemoryEndpoints)
    estimates: InMemoryEstimates = field(default_factory=InMemoryEstimates)
    webhooks: InMemoryWebhookQueue = field(default_factory=InMemoryWebhookQueue)
    adapters: InMemoryAdapterObjects = field(default_factory=InMemoryAdapterObjects)
    now: datetime = NOW
    shared: bool = True
    slept_s: float = 0
    on_sleep: Callable[[], object] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self.now += timedelta(seconds=seconds)
        self.on_sleep()

    def clock(self) -> datetime:
        return self.now

    @property
    def changes(self) -> JobChanges:
        return JobChanges(jobs=self.jobs, webhooks=self.webhooks)

    @property
    def completion(self) -> CompletionService:
        return CompletionService(
            jobs=self.jobs,
            documents=self.documents,
            estimates=self.estimates,
            changes=self.changes,
            endpoints=ENDPOINTS,
            clock=self.clock,
        )

    @property
    def invoker(self) -> Invoker:
        return Invoker(
            invocations=self.endpoints, changes=self.changes, endpoints=ENDPOINTS, clock=self.clock
        )

    @property
    def reconciler(self) -> Reconciler:
        return Reconciler(
            jobs=self.jobs,
            invocations=self.endpoints,
            estimates=self.estimates,
            completion=self.completion,
            changes=self.changes,
            invoker=self.invoker,
            endpoints=ENDPOINTS,
            clock=self.clock,
        )

    @property
    def service(self) -> JobService:
        catalog = ModelCatalog([DEMO, OTHER], "demo")
        inputs = InputAccess(bucket=BUCKET, shared=self.shared, jobs=self.jobs)
        return JobService(
            catalog=catalog,
            jobs=self.jobs,
            documents=self.documents,
            changes=self.changes,
            submissions=SubmissionService(
                catalog=catalog,
                jobs=self.jobs,
                documents=self.documents,
                invoker=self.invoker,
                inputs=inputs,
                endpoints=ENDPOINTS,
                output_prefixes=(OUTPUT_PREFIX,),
                retention=RETENTION,
                clock=self.clock,
            ),
            completion=self.completion,
            estimation=EstimationService(
                jobs=self.jobs,
                estimates=self.estimates,
                invocations=self.endpoints,
                endpoints=ENDPOINTS,
                clock=self.clock,
            ),
            inputs=inputs,
            data_bucket_name=BUCKET,
            shared=self.shared,
        )

    @property
    def synchronous(self) -> SynchronousService:
        return SynchronousService(service=self.service, clock=lambda: self.slept_s, sleep=self.sleep)
