"""Submitting a job, following it and canceling it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from contract.generation import Generation, new_seed
from contract.identifiers import new_job_id
from contract.progress import Progress
from contract.request import JobRequest
from jobs.catalog import ModelCatalog
from jobs.errors import AlreadyTerminalError, HandoverError
from jobs.inline_images import take_out
from jobs.job import Job, JobStatus, Outcome
from jobs.ports import Endpoints, JobDocuments, JobRepository


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class JobService:
    """The use cases behind the HTTP API."""

    catalog: ModelCatalog
    jobs: JobRepository
    documents: JobDocuments
    endpoints: Endpoints
    data_bucket_name: str
    retention: timedelta
    clock: Callable[[], datetime] = _utc_now

    def submit(self, request: JobRequest) -> Job:
        """Puts a job on record and hands it to its model's endpoint.

        Raises:
            ModelNotFoundError: no model has the name.
            InvalidRequestError: the model does not accept the request; nothing was stored.
            HandoverError: the endpoint did not take the job. If it is on record already, then as failed.
        """
        model = self.catalog.find(request.model)
        job_id = new_job_id()
        request, pictures = take_out(request, job_id=job_id, bucket=self.data_bucket_name)
        generation = Generation.resolve(request, model, job_id=job_id, seed=new_seed())
        for picture in pictures:
            self.documents.put_picture(picture)
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
        except HandoverError as error:
            failure = Outcome(status=JobStatus.FAILED, error=error.problem())
            self.jobs.settle(job.id, failure, self.clock())
            raise
        self.jobs.attach(job.id, invocation)
        return replace(job, invocation=invocation)

    def follow(self, job_id: str) -> tuple[Job, Progress | None]:
        """The job, and while it is unfinished how far the container is with it.

        Raises:
            JobNotFoundError: there is none.
        """
        job = self.jobs.get(job_id)
        progress = None if job.status.is_terminal else self.documents.read_progress(job_id)
        return job, progress

    def cancel(self, job_id: str) -> tuple[Job, Progress | None]:
        """Asks the container not to begin the job, or to stop, and gives what `follow` gives.

        What is being uploaded already is not stopped: the job then succeeds.

        Raises:
            JobNotFoundError: there is none.
            AlreadyTerminalError: it has ended.
            HandoverError: the container could not be asked.
        """
        if not self.jobs.request_cancellation(job_id):
            raise AlreadyTerminalError(job_id, self.jobs.get(job_id).status)
        self.documents.mark_canceled(job_id)
        return self.follow(job_id)
