"""Submitting, following and canceling jobs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from contract.generation import Generation, new_seed
from contract.identifiers import new_job_id
from contract.progress import Progress
from contract.request import JobRequest
from jobs.catalog import ModelCatalog
from jobs.errors import AlreadyTerminalError, EndpointUnavailableError
from jobs.inline_images import extract_inline_images
from jobs.job import Job, JobStatus, Outcome
from jobs.ports import Endpoints, JobDocuments, JobRepository


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class JobService:
    """The use cases of the HTTP API.

    Attributes:
        retention: how long the job's record and its images are kept.
    """

    catalog: ModelCatalog
    jobs: JobRepository
    documents: JobDocuments
    endpoints: Endpoints
    data_bucket_name: str
    retention: timedelta
    clock: Callable[[], datetime] = _utc_now

    def submit(self, request: JobRequest) -> Job:
        """Stores a job and invokes its model's endpoint.

        Raises:
            ModelNotFoundError: no model has the name.
            InvalidRequestError: the model does not accept the request; nothing was stored.
            EndpointUnavailableError: the endpoint did not accept the job, or S3 did not accept its request.
                If the job was already stored, its status is `failed`.
        """
        model = self.catalog.find(request.model)
        job_id = new_job_id()
        request, images = extract_inline_images(request, job_id=job_id, bucket=self.data_bucket_name)
        generation = Generation.resolve(request, model, job_id=job_id, seed=new_seed())
        for image in images:
            self.documents.put_inline_image(image)
        created_at = self.clock()
        job = Job(
            generation=generation,
            status=JobStatus.QUEUED,
            created_at=created_at,
            expires_at=(created_at + self.retention).replace(microsecond=0),
        )
        self.jobs.create(job)
        try:
            request_uri = self.documents.put_request(generation)
            invocation = self.endpoints.invoke(model.name, job.id, request_uri)
        except EndpointUnavailableError as error:
            failure = Outcome(status=JobStatus.FAILED, error=error.problem())
            self.jobs.finish(job.id, failure, self.clock())
            raise
        self.jobs.set_invocation(job.id, invocation)
        return replace(job, invocation=invocation)

    def follow(self, job_id: str) -> tuple[Job, Progress | None]:
        """Returns the job and, while it has not ended, the container's progress.

        Raises:
            JobNotFoundError: there is no such job.
        """
        job = self.jobs.get(job_id)
        progress = None if job.status.is_terminal else self.documents.read_progress(job_id)
        return job, progress

    def cancel(self, job_id: str) -> tuple[Job, Progress | None]:
        """Requests that the container does not start the job, or stops it. Returns the same as `follow`.

        An upload that has begun is not stopped: the job then succeeds.

        Raises:
            JobNotFoundError: there is no such job.
            AlreadyTerminalError: the job has already ended.
            EndpointUnavailableError: the cancellation could not be stored.
        """
        if not self.jobs.request_cancellation(job_id):
            raise AlreadyTerminalError(job_id, self.jobs.get(job_id).status)
        self.documents.mark_canceled(job_id)
        return self.follow(job_id)
