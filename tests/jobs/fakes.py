"""In-memory implementations of the ports, and builders of jobs and results."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration, ModelLimits
from contract.problem import ErrorCode, Problem
from contract.progress import Progress
from contract.request import JobRequest
from contract.result import GenerationResult, ImageResult, ResultDetails
from contract.safety import SafetyMode, SafetyReport
from jobs.catalog import ModelCatalog
from jobs.errors import EndpointUnavailableError, JobExistsError, JobNotFoundError, UnreadableDocumentError
from jobs.inline_images import InlineImage
from jobs.job import Invocation, Job, JobStatus, Outcome
from jobs.service import JobService

Document = TypeVar("Document")

BUCKET = "data"
NOW = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
RETENTION = timedelta(days=30)
DEMO = ModelDeclaration(name="demo", limits=ModelLimits(max_size=768, max_count=4))
OTHER = ModelDeclaration(name="other")
FAILURE = Problem.of(ErrorCode.OUT_OF_MEMORY, "Reduce width or height.")
INVOCATION = Invocation(
    output_location="s3://data/results/1.out", failure_location="s3://data/failures/1.out"
)


def a_job(**request: object) -> Job:
    generation = Generation.resolve(
        JobRequest.model_validate({"prompt": "a red circle", **request}), DEMO, job_id=new_job_id(), seed=7
    )
    return Job(
        generation=generation,
        status=JobStatus.QUEUED,
        created_at=NOW,
        expires_at=(NOW + RETENTION).replace(microsecond=0),
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
        batch_size=2,
        revision="revision-1",
        fallbacks=("VAE tiling was enabled.",),
        safety=SafetyReport(mode=SafetyMode.FLAG, detector="detector-1"),
        durations_s={"denoise": 1.5},
        versions={"diffusers": "1"},
    )


DETAILS = ResultDetails(
    batch_size=2,
    revision="revision-1",
    fallbacks=("VAE tiling was enabled.",),
    safety=SafetyReport(mode=SafetyMode.FLAG, detector="detector-1"),
    durations_s={"denoise": 1.5},
    versions={"diffusers": "1"},
)
"""The details of `a_result`."""


class InMemoryJobs:
    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}

    def create(self, job: Job) -> None:
        if job.id in self.jobs:
            raise JobExistsError(job.id)
        self.jobs[job.id] = job

    def get(self, job_id: str) -> Job:
        try:
            return self.jobs[job_id]
        except KeyError:
            raise JobNotFoundError(job_id) from None

    def set_invocation(self, job_id: str, invocation: Invocation) -> None:
        self.jobs[job_id] = replace(self.get(job_id), invocation=invocation)

    def request_cancellation(self, job_id: str) -> bool:
        job = self.get(job_id)
        if job.status is not JobStatus.QUEUED:
            return False
        self.jobs[job_id] = replace(job, cancel_requested=True)
        return True

    def finish(self, job_id: str, outcome: Outcome, finished_at: datetime) -> bool:
        job = self.get(job_id)
        if job.status is not JobStatus.QUEUED:
            return False
        self.jobs[job_id] = replace(
            job,
            status=outcome.status,
            images=outcome.images,
            result=outcome.result,
            error=outcome.error,
            finished_at=finished_at,
        )
        return True


@dataclass
class InMemoryDocuments:
    requests: dict[str, Generation] = field(default_factory=dict)
    progress: dict[str, Progress] = field(default_factory=dict)
    responses: dict[str, object] = field(default_factory=dict)
    images: list[InlineImage] = field(default_factory=list)
    canceled: set[str] = field(default_factory=set)
    unavailable: bool = False

    def put_request(self, generation: Generation) -> str:
        if self.unavailable:
            raise EndpointUnavailableError("the data bucket is unavailable")
        uri = f"s3://{BUCKET}/requests/{generation.id}.json"
        self.requests[uri] = generation
        return uri

    def put_inline_image(self, image: InlineImage) -> None:
        if self.unavailable:
            raise EndpointUnavailableError("the data bucket is unavailable")
        self.images.append(image)

    def mark_canceled(self, job_id: str) -> None:
        if self.unavailable:
            raise EndpointUnavailableError("the data bucket is unavailable")
        self.canceled.add(job_id)

    def read_progress(self, job_id: str) -> Progress | None:
        return self.progress.get(job_id)

    def read_result(self, uri: str) -> GenerationResult:
        return self._read(uri, GenerationResult)

    def read_problem(self, uri: str) -> Problem:
        return self._read(uri, Problem)

    def presign(self, uri: str) -> str:
        return f"https://signed/{uri.removeprefix('s3://')}"

    def _read(self, uri: str, kind: type[Document]) -> Document:
        document = self.responses.get(uri)
        if not isinstance(document, kind):
            raise UnreadableDocumentError(uri)
        return document


@dataclass
class InMemoryEndpoints:
    invocations: list[tuple[str, str, str]] = field(default_factory=list)
    unavailable: bool = False

    def invoke(self, model: str, job_id: str, request_uri: str) -> Invocation:
        if self.unavailable:
            raise EndpointUnavailableError("the endpoint is unavailable")
        self.invocations.append((model, job_id, request_uri))
        return INVOCATION


@dataclass
class InMemoryBackend:
    """The in-memory ports and a job service that uses them."""

    jobs: InMemoryJobs = field(default_factory=InMemoryJobs)
    documents: InMemoryDocuments = field(default_factory=InMemoryDocuments)
    endpoints: InMemoryEndpoints = field(default_factory=InMemoryEndpoints)

    @property
    def service(self) -> JobService:
        return JobService(
            catalog=ModelCatalog([DEMO, OTHER], "demo"),
            jobs=self.jobs,
            documents=self.documents,
            endpoints=self.endpoints,
            data_bucket_name=BUCKET,
            retention=RETENTION,
            clock=lambda: NOW,
        )
