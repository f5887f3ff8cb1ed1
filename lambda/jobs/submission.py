"""Submitting jobs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contract.environment import ModelEndpoint
from contract.generation import Generation, InvalidRequestError, new_seed
from contract.identifiers import new_job_id
from contract.output_location import check_output
from contract.submission import JobSubmission
from jobs.caller import Caller
from jobs.catalog import ModelCatalog
from jobs.deadlines import due_unconfirmed
from jobs.errors import EndpointUnavailableError, IdempotencyInFlightError, IdempotencyMismatchError
from jobs.idempotency import IdempotencyKey, idempotency_record
from jobs.inline_images import InlineImage, extract_inline_images
from jobs.input_access import InputAccess
from jobs.invoker import Invoker
from jobs.job import Job, Webhook
from jobs.lifecycle import JobStatus
from jobs.ports import IdempotencyRecord, JobDocuments, JobRepository


@dataclass(frozen=True, kw_only=True)
class SubmissionService:
    """Stores jobs and submits them to their models' endpoints.

    Attributes:
        output_prefixes: the accepted prefixes of `output_s3_uri`.
        retention: how long the job's record and its images are kept.
    """

    catalog: ModelCatalog
    jobs: JobRepository
    documents: JobDocuments
    invoker: Invoker
    inputs: InputAccess
    endpoints: Mapping[str, ModelEndpoint]
    output_prefixes: tuple[str, ...]
    retention: timedelta
    clock: Callable[[], datetime]

    def submit(
        self,
        submission: JobSubmission,
        caller: Caller,
        idempotency_key: IdempotencyKey | None = None,
        *,
        prediction_address: str | None = None,
    ) -> Job:
        """Stores a job and submits it. With a known idempotency key, returns that key's job instead.

        Args:
            submission: the request.
            caller: the job's owner.
            idempotency_key: None if the client has sent none.
            prediction_address: see `Webhook`.

        Raises:
            ModelNotFoundError: no model has the name.
            InvalidRequestError: the model does not accept the request; nothing was stored.
            EndpointUnavailableError: the endpoint did not accept the job, or S3 did not accept its request.
                If the job was already stored, its status is `failed`.
            IdempotencyMismatchError: the key was used with another request.
            IdempotencyInFlightError: the first request with the key is being processed.
        """
        job_id, now = new_job_id(), self.clock()
        idempotency = None
        if idempotency_key is not None:
            idempotency = idempotency_record(submission, caller, idempotency_key, job_id=job_id, now=now)
            known = self.jobs.find_idempotency(idempotency.key)
            if known is not None and known.expires_at > now:
                return self._repeat(known, idempotency)
        job, images = self._resolve(submission, caller, job_id, now, prediction_address)
        known = self.jobs.create(job, idempotency)
        if known is not None and idempotency is not None:
            return self._repeat(known, idempotency)
        try:
            self._store(job, images)
            return self.invoker.invoke(job)
        except EndpointUnavailableError:
            if idempotency is not None:
                self.jobs.release_idempotency(idempotency.key, job.id)
            raise

    def _resolve(
        self,
        submission: JobSubmission,
        caller: Caller,
        job_id: str,
        now: datetime,
        prediction_address: str | None,
    ) -> tuple[Job, tuple[InlineImage, ...]]:
        model = self.catalog.find(submission.model)
        request, images, errors = extract_inline_images(submission, job_id=job_id, bucket=self.inputs.bucket)
        output_error = check_output(submission.output_s3_uri, self.output_prefixes)
        errors += (*self.inputs.errors(submission, caller), *filter(None, [output_error]))
        if errors:
            raise InvalidRequestError(errors)
        webhook = None
        if submission.webhook_url is not None:
            webhook = Webhook(
                url=submission.webhook_url,
                events=submission.webhook_events,
                prediction_address=prediction_address,
            )
        job = Job(
            generation=Generation.resolve(request, model, job_id=job_id, seed=new_seed()),
            tags=submission.tags,
            webhook=webhook,
            owner=caller.id,
            queue=self.endpoints[model.name].queue,
            status=JobStatus.QUEUED,
            created_at=now,
            expires_at=(now + self.retention).replace(microsecond=0),
            due_at=due_unconfirmed(now),
        )
        return job, images

    def _store(self, job: Job, images: tuple[InlineImage, ...]) -> None:
        try:
            for image in images:
                self.documents.put_inline_image(image)
        except EndpointUnavailableError as error:
            self.invoker.fail(job, error)
            raise

    def _repeat(self, known: IdempotencyRecord, record: IdempotencyRecord) -> Job:
        """The job of the first request with the same key."""
        if known.fingerprint != record.fingerprint:
            raise IdempotencyMismatchError
        job = self.jobs.get(known.job_id)
        is_being_submitted = not job.status.is_terminal and job.invocation is None and job.attempt == 1
        if is_being_submitted and due_unconfirmed(job.created_at) > self.clock():
            raise IdempotencyInFlightError
        return job
