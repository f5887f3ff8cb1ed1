"""Submitting a job and following it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from inference.contract.generation import Generation, InvalidRequestError, new_seed
from inference.contract.identifiers import S3Location, new_job_id
from inference.contract.keys import INPUTS_PREFIX, OUTPUTS_PREFIX
from inference.contract.problem import FieldError
from inference.contract.progress import Progress
from inference.contract.request import JobRequest
from jobs.catalog import ModelCatalog
from jobs.errors import HandoverError
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
            HandoverError: the endpoint did not take the job; its record says that it failed.
        """
        model = self.catalog.find(request.model)
        self._check_input_image(request)
        generation = Generation.resolve(request, model, job_id=new_job_id(), seed=new_seed())
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

    def _check_input_image(self, request: JobRequest) -> None:
        if request.input_image is None:
            return
        location = S3Location.parse(request.input_image)
        readable = location.key.startswith((INPUTS_PREFIX, OUTPUTS_PREFIX))
        if location.bucket != self.data_bucket_name or not readable:
            allowed = " or ".join(
                S3Location(self.data_bucket_name, prefix).uri for prefix in (INPUTS_PREFIX, OUTPUTS_PREFIX)
            )
            wrong = FieldError(pointer="#/input_image", detail=f"must be under {allowed}")
            raise InvalidRequestError((wrong,))
