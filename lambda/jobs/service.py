"""The use cases of the HTTP API."""

from dataclasses import dataclass

from contract.generation import InvalidRequestError
from contract.identifiers import S3Location
from contract.images import ImageMediaType
from contract.keys import preview_key
from contract.problem import FieldError
from contract.submission import JobSubmission, JobUpdate
from jobs.caller import Caller
from jobs.catalog import ModelCatalog
from jobs.changes import JobChanges
from jobs.completion import CompletionService
from jobs.errors import AlreadyTerminalError, JobNotFoundError, JobRunningError, RecordTooLargeError
from jobs.estimation import EstimationService
from jobs.idempotency import IdempotencyKey
from jobs.inline_images import InlineImage
from jobs.input_access import InputAccess
from jobs.job import Job, JobFilters, JobPage, JobSnapshot
from jobs.lifecycle import Event, may_occur
from jobs.ports import JobDocuments, JobRepository
from jobs.submission import SubmissionService
from jobs.uploads import Upload, UploadRequest, new_upload_location


@dataclass(frozen=True, kw_only=True)
class JobService:
    """Submitting, following, listing, tagging, canceling and deleting jobs, and uploading their inputs.

    Attributes:
        shared: whether every caller sees all jobs. Otherwise a caller sees their own only.
    """

    catalog: ModelCatalog
    jobs: JobRepository
    documents: JobDocuments
    changes: JobChanges
    submissions: SubmissionService
    completion: CompletionService
    estimation: EstimationService
    inputs: InputAccess
    data_bucket_name: str
    shared: bool

    def submit(
        self,
        submission: JobSubmission,
        caller: Caller,
        idempotency_key: IdempotencyKey | None = None,
        *,
        prediction_address: str | None = None,
    ) -> Job:
        """See `SubmissionService.submit`."""
        return self.submissions.submit(
            submission, caller, idempotency_key, prediction_address=prediction_address
        )

    def follow(self, job_id: str, caller: Caller) -> JobSnapshot:
        """Returns the job; one whose response is already in S3 is finished first.

        Raises:
            JobNotFoundError: there is no such job, or it is not the caller's.
        """
        return self._snapshot(self._get(job_id, caller))

    def list(self, caller: Caller, filters: JobFilters, *, limit: int, before: str | None = None) -> JobPage:
        """Returns jobs, newest first; see `JobRepository.find`."""
        owner = None if self.shared else caller.id
        return self.jobs.find(owner, filters, limit=limit, before=before)

    def update(self, job_id: str, update: JobUpdate, caller: Caller) -> JobSnapshot:
        """Replaces the job's tags, in any state of the job. Returns the same as `follow`.

        Raises:
            JobNotFoundError: there is no such job, or it is not the caller's.
            InvalidRequestError: the job's record has no room for the tags.
        """
        try:
            return self._snapshot(self.changes.retag(self._get(job_id, caller), update.tags))
        except RecordTooLargeError:
            detail = "do not fit in the job's record beside its result; use fewer or shorter ones"
            raise InvalidRequestError((FieldError(pointer="#/tags", detail=detail),)) from None

    def cancel(self, job_id: str, caller: Caller) -> JobSnapshot:
        """Requests that the container does not start the job, or stops it. Returns the same as `follow`.

        An upload that has begun is not stopped: the job then succeeds.

        Raises:
            JobNotFoundError: there is no such job, or it is not the caller's.
            AlreadyTerminalError: the job has already ended.
            EndpointUnavailableError: the cancellation could not be stored.
        """
        job = self._get(job_id, caller)
        canceled = self.changes.apply(job, Event.REQUEST_CANCELLATION)
        if canceled is None:
            raise AlreadyTerminalError(job_id, self.jobs.get(job_id).status)
        self.documents.mark_canceled(job_id)
        return self._snapshot(canceled)

    def delete(self, job_id: str, caller: Caller) -> None:
        """Deletes the record and all objects of a job that has ended.

        Raises:
            JobNotFoundError: there is no such job, or it is not the caller's.
            JobRunningError: the job has not ended.
            EndpointUnavailableError: not all objects could be deleted; the record remains.
        """
        job = self._get(job_id, caller)
        if not may_occur(job.state, Event.DELETE):
            raise JobRunningError(job_id, job.status)
        self.documents.delete(job.generation)
        self.jobs.delete(job_id)

    def create_upload(self, upload: UploadRequest, caller: Caller) -> Upload:
        """Permits the upload of one file, whose URI may then be named as an input image."""
        prefix = self.inputs.upload_prefix(caller)
        location = new_upload_location(self.data_bucket_name, prefix, upload)
        form = self.documents.presign_upload(location, upload.content_type, upload.size)
        return Upload(s3_uri=location.uri, url=form.url, fields=form.fields, expires_at=form.expires_at)

    def store_upload(self, data: bytes, content_type: ImageMediaType, caller: Caller) -> str:
        """Stores a file; its URI, which is returned, may then be named as an input image.

        Raises:
            EndpointUnavailableError: the file could not be stored.
        """
        upload = UploadRequest(content_type=content_type, size=len(data))
        location = new_upload_location(self.data_bucket_name, self.inputs.upload_prefix(caller), upload)
        self.documents.put_inline_image(InlineImage(location=location, media_type=content_type, data=data))
        return location.uri

    def _get(self, job_id: str, caller: Caller) -> Job:
        job = self.jobs.get(job_id)
        if not self.shared and job.owner != caller.id:
            raise JobNotFoundError(job_id)
        return job

    def _snapshot(self, job: Job) -> JobSnapshot:
        if not job.status.is_terminal:
            job = self.completion.complete(job)
        if job.status.is_terminal:
            return JobSnapshot(job=job)
        progress = self.documents.read_progress(job.id)
        has_preview = progress is not None and progress.preview_step is not None
        preview = S3Location(self.data_bucket_name, preview_key(job.id)).uri if has_preview else None
        return JobSnapshot(
            job=job, progress=progress, estimate=self.estimation.estimate(job), preview_uri=preview
        )
