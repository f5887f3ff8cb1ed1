"""Following, listing, canceling and deleting jobs, and uploads."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from contract.generation import InvalidRequestError
from contract.identifiers import S3Location
from contract.progress import Phase, Progress
from contract.submission import JobSubmission, JobUpdate
from jobs.caller import Caller
from jobs.completion import finish
from jobs.errors import (
    AlreadyTerminalError,
    EndpointUnavailableError,
    JobNotFoundError,
    JobRunningError,
    RecordTooLargeError,
)
from jobs.job import Job, JobFilters, Outcome
from jobs.lifecycle import JobStatus
from jobs.uploads import MAX_UPLOAD_BYTES, UploadRequest
from tests.jobs.fakes import BUCKET, CALLER, NOW, InMemoryBackend

OTHER = Caller("key:other")


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend()


@pytest.fixture
def private() -> InMemoryBackend:
    """A stage whose callers see their own jobs only."""
    return InMemoryBackend(shared=False)


def submit(backend: InMemoryBackend, caller: Caller = CALLER, **fields: Any) -> Job:
    return backend.service.submit(JobSubmission.model_validate({"prompt": "x", **fields}), caller)


def end(backend: InMemoryBackend, job: Job) -> None:
    finish(backend.changes, job, Outcome(status=JobStatus.CANCELED), backend.now)


def test_an_unfinished_job_has_its_progress_and_preview(backend: InMemoryBackend) -> None:
    job = submit(backend)
    assert backend.service.follow(job.id, CALLER).progress is None
    backend.documents.progress[job.id] = Progress(
        phase=Phase.DENOISING, step=3, total_steps=20, preview_step=2
    )
    snapshot = backend.service.follow(job.id, CALLER)
    assert snapshot.progress == backend.documents.progress[job.id]
    assert snapshot.preview_uri == f"s3://{BUCKET}/previews/{job.id}.jpg"
    end(backend, job)
    ended = backend.service.follow(job.id, CALLER)
    assert (ended.progress, ended.preview_uri, ended.estimate) == (None, None, None)


def test_tags_and_an_outcome_that_is_stored_meanwhile_are_both_kept(
    backend: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(backend, tags=["old"])
    save = backend.jobs.save

    def end_first(changed: Job) -> bool:
        monkeypatch.setattr(backend.jobs, "save", save)
        end(backend, job)
        return save(changed)

    monkeypatch.setattr(backend.jobs, "save", end_first)
    updated = backend.service.update(job.id, JobUpdate(tags=("new",)), CALLER).job
    assert (updated.tags, updated.status) == (("new",), JobStatus.CANCELED)
    assert backend.jobs.get(job.id) == updated


def test_tags_that_are_stored_while_a_job_ends_are_kept(
    backend: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(backend, tags=["old"])
    save = backend.jobs.save

    def tag_first(changed: Job) -> bool:
        monkeypatch.setattr(backend.jobs, "save", save)
        backend.service.update(job.id, JobUpdate(tags=("new",)), CALLER)
        return save(changed)

    monkeypatch.setattr(backend.jobs, "save", tag_first)
    end(backend, job)
    stored = backend.jobs.get(job.id)
    assert (stored.tags, stored.status) == (("new",), JobStatus.CANCELED)


def test_tags_of_a_job_that_is_deleted_meanwhile_are_not_stored(
    backend: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(backend)
    monkeypatch.setattr(backend.jobs, "save", lambda _: backend.jobs.delete(job.id))
    with pytest.raises(JobNotFoundError):
        backend.service.update(job.id, JobUpdate(tags=("new",)), CALLER)
    assert backend.jobs.jobs == {}


def test_tags_that_the_record_has_no_room_for_are_refused(
    backend: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(backend)

    def refuse(_: Job) -> bool:
        raise RecordTooLargeError

    monkeypatch.setattr(backend.jobs, "save", refuse)
    with pytest.raises(InvalidRequestError, match="use fewer or shorter ones"):
        backend.service.update(job.id, JobUpdate(tags=("new",)), CALLER)


def test_canceling_marks_the_job_and_may_be_repeated(backend: InMemoryBackend) -> None:
    job = submit(backend)
    for _ in range(2):
        assert backend.service.cancel(job.id, CALLER).job.cancel_requested
    assert backend.documents.canceled == {job.id}
    assert backend.jobs.get(job.id).status is JobStatus.QUEUED


def test_a_job_that_has_ended_cannot_be_canceled(backend: InMemoryBackend) -> None:
    job = submit(backend)
    end(backend, job)
    with pytest.raises(AlreadyTerminalError, match="canceled"):
        backend.service.cancel(job.id, CALLER)


def test_deleting_removes_objects_and_record(backend: InMemoryBackend) -> None:
    job = submit(backend)
    with pytest.raises(JobRunningError, match="cancel it"):
        backend.service.delete(job.id, CALLER)
    end(backend, job)
    backend.service.delete(job.id, CALLER)
    assert (backend.documents.deleted, backend.jobs.jobs) == ([job.id], {})
    with pytest.raises(JobNotFoundError):
        backend.service.delete(job.id, CALLER)


def test_the_record_remains_if_objects_cannot_be_deleted(backend: InMemoryBackend) -> None:
    job = submit(backend)
    end(backend, job)
    backend.documents.unavailable = True
    with pytest.raises(EndpointUnavailableError):
        backend.service.delete(job.id, CALLER)
    assert job.id in backend.jobs.jobs


def test_another_callers_job_does_not_exist_in_a_stage_that_is_not_shared(private: InMemoryBackend) -> None:
    job = submit(private)
    for call in (private.service.follow, private.service.cancel, private.service.delete):
        with pytest.raises(JobNotFoundError) as refused:
            call(job.id, OTHER)
        assert str(refused.value) == str(JobNotFoundError(job.id))
    assert private.service.list(OTHER, JobFilters(), limit=10).jobs == ()
    assert private.service.follow(job.id, CALLER).job == job


def test_every_caller_sees_all_jobs_of_a_shared_stage(backend: InMemoryBackend) -> None:
    job = submit(backend)
    assert backend.service.follow(job.id, OTHER).job == job
    assert backend.service.list(OTHER, JobFilters(), limit=10).jobs == (job,)


def test_an_upload_is_below_the_callers_own_prefix_and_may_be_named_as_an_input(
    private: InMemoryBackend,
) -> None:
    upload = private.service.create_upload(UploadRequest(content_type="image/webp", size=7), CALLER)
    location = S3Location.parse(upload.s3_uri)
    assert location.bucket == BUCKET
    assert location.key.startswith(f"inputs/{CALLER.directory}/")
    assert location.key.endswith(".webp")
    assert upload.fields == {"key": location.key, "Content-Type": "image/webp", "size": "7"}
    assert upload.expires_at == NOW + timedelta(minutes=15)
    assert submit(private, input_image=upload.s3_uri).generation.input_image == upload.s3_uri


def test_a_stored_file_may_be_named_as_an_input(private: InMemoryBackend) -> None:
    uri = private.service.store_upload(b"data", "image/png", CALLER)
    assert uri.startswith(f"s3://{BUCKET}/inputs/{CALLER.directory}/")
    assert [(each.location.uri, each.media_type, each.data) for each in private.documents.images] == [
        (uri, "image/png", b"data")
    ]
    assert submit(private, input_image=uri).generation.input_image == uri
    with pytest.raises(InvalidRequestError):
        submit(private, OTHER, input_image=uri)


@pytest.mark.parametrize(
    "fields", [{"size": 0}, {"size": MAX_UPLOAD_BYTES + 1}, {"content_type": "text/html"}]
)
def test_an_upload_of_another_size_or_type_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UploadRequest.model_validate({"content_type": "image/png", "size": 1, **fields})


def test_inputs_of_other_callers_are_refused_like_those_that_do_not_exist(private: InMemoryBackend) -> None:
    own = submit(private)
    foreign = submit(private, OTHER)
    details = set()
    for key in (
        f"outputs/{foreign.id}/0.png",
        "outputs/01AAAAAAAAAAAAAAAAAAAAAAAA/0.png",
        "outputs/x/0.png",
        f"inputs/{OTHER.directory}/a.png",
        "inputs/a.png",
    ):
        with pytest.raises(InvalidRequestError) as refused:
            submit(private, input_image=f"s3://{BUCKET}/{key}")
        (error,) = refused.value.errors
        details.add(error.detail)
    assert len(details) == 1
    submit(private, input_image=f"s3://{BUCKET}/outputs/{own.id}/0.png")
