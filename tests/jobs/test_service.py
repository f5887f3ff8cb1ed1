from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract.generation import InvalidRequestError
from contract.progress import Phase, Progress
from contract.request import JobRequest
from jobs.errors import AlreadyTerminalError, EndpointUnavailableError, JobNotFoundError, ModelNotFoundError
from jobs.job import Job, JobStatus, Outcome
from jobs.service import JobService
from tests.jobs.fakes import FAILURE, INVOCATION, NOW, InMemoryBackend


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend()


def test_submit_stores_the_job_and_its_request_and_invokes_the_endpoint(backend: InMemoryBackend) -> None:
    job = backend.service.submit(JobRequest(prompt="x", count=2))
    assert backend.jobs.get(job.id) == job
    assert (job.status, job.invocation) == (JobStatus.QUEUED, INVOCATION)
    ((uri, stored),) = backend.documents.requests.items()
    assert stored == job.generation
    assert backend.endpoints.invocations == [("demo", job.id, uri)]


def test_a_job_expires_after_the_retention_in_whole_seconds(backend: InMemoryBackend) -> None:
    job = backend.service.submit(JobRequest(prompt="x"))
    assert job.created_at == datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
    assert job.expires_at == datetime(2026, 3, 31, 12, 30, 15, tzinfo=UTC)
    assert job.finished_at is None


def test_the_default_clock_is_the_current_time_in_utc(backend: InMemoryBackend) -> None:
    before = datetime.now(UTC)
    job = replace(backend.service, clock=JobService.clock).submit(JobRequest(prompt="x"))
    assert before <= job.created_at <= datetime.now(UTC)


def test_the_job_is_stored_before_the_endpoint_is_invoked(backend: InMemoryBackend) -> None:
    seen: list[JobStatus] = []
    invoke = backend.endpoints.invoke

    def invoke_and_record(model: str, job_id: str, uri: str) -> object:
        seen.append(backend.jobs.get(job_id).status)
        return invoke(model, job_id, uri)

    backend.endpoints.invoke = invoke_and_record
    backend.service.submit(JobRequest(prompt="x"))
    assert seen == [JobStatus.QUEUED]


def test_a_job_that_finishes_before_invoke_returns_stays_finished(backend: InMemoryBackend) -> None:
    invoke = backend.endpoints.invoke

    def finish_and_invoke(model: str, job_id: str, uri: str) -> object:
        backend.jobs.finish(job_id, Outcome(status=JobStatus.SUCCEEDED), NOW)
        return invoke(model, job_id, uri)

    backend.endpoints.invoke = finish_and_invoke
    job = backend.service.submit(JobRequest(prompt="x"))
    assert backend.jobs.get(job.id).status is JobStatus.SUCCEEDED


def test_the_endpoint_of_the_requested_model_is_invoked(backend: InMemoryBackend) -> None:
    backend.service.submit(JobRequest(prompt="x", model="other"))
    assert backend.endpoints.invocations[0][0] == "other"


def test_a_missing_seed_is_chosen_at_random(backend: InMemoryBackend) -> None:
    seeds = {backend.service.submit(JobRequest(prompt="x")).generation.seed for _ in range(5)}
    assert len(seeds) > 1


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (JobRequest(prompt="x", model="unknown"), ModelNotFoundError),
        (JobRequest(prompt="x", width=776), InvalidRequestError),
        (JobRequest(prompt="x", input_image="s3://elsewhere/inputs/a.png"), InvalidRequestError),
        (JobRequest(prompt="x", input_image="s3://data/requests/J.json"), InvalidRequestError),
        (JobRequest(prompt="x", input_image="data:image/png;base64,!"), InvalidRequestError),
        (JobRequest(prompt="x", input_image="data:image/png;base64,AAAA", steps=999), InvalidRequestError),
    ],
)
def test_an_invalid_request_stores_nothing(
    backend: InMemoryBackend, request_: JobRequest, error: type[Exception]
) -> None:
    with pytest.raises(error):
        backend.service.submit(request_)
    assert (backend.jobs.jobs, backend.documents.requests, backend.endpoints.invocations) == ({}, {}, [])
    assert backend.documents.images == []


@pytest.mark.parametrize("uri", ["s3://data/inputs/a.png", "s3://data/outputs/J/0.png"])
def test_s3_inputs_and_earlier_outputs_are_accepted_as_input_images(
    backend: InMemoryBackend, uri: str
) -> None:
    assert backend.service.submit(JobRequest(prompt="x", input_image=uri)).generation.input_image == uri


def test_inline_images_are_stored_before_the_job(backend: InMemoryBackend) -> None:
    seen = []
    create = backend.jobs.create

    def create_and_record(job: Job) -> None:
        seen.extend(backend.documents.images)
        create(job)

    backend.jobs.create = create_and_record
    job = backend.service.submit(JobRequest(prompt="x", input_image="data:image/png;base64,AAAA"))
    ((image),) = seen
    assert image.data == b"\0\0\0"
    assert job.generation.input_image == image.location.uri == f"s3://data/inputs/{job.id}/input_image"


def test_a_job_whose_inline_images_cannot_be_stored_is_not_created(backend: InMemoryBackend) -> None:
    backend.documents.unavailable = True
    with pytest.raises(EndpointUnavailableError):
        backend.service.submit(JobRequest(prompt="x", input_image="data:image/png;base64,AAAA"))
    assert backend.jobs.jobs == {}


@pytest.mark.parametrize("part", ["documents", "endpoints"])
def test_a_job_that_cannot_be_submitted_fails(backend: InMemoryBackend, part: str) -> None:
    getattr(backend, part).unavailable = True
    failed_at = NOW + timedelta(seconds=3)
    service = replace(backend.service, clock=iter([NOW, failed_at]).__next__)
    with pytest.raises(EndpointUnavailableError):
        service.submit(JobRequest(prompt="x"))
    (job,) = backend.jobs.jobs.values()
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.code == "endpoint_unavailable"
    assert (job.created_at, job.finished_at) == (NOW, failed_at)


def test_follow_returns_the_progress_of_an_unfinished_job(backend: InMemoryBackend) -> None:
    job = backend.service.submit(JobRequest(prompt="x"))
    assert backend.service.follow(job.id) == (job, None)
    progress = Progress(phase=Phase.DENOISING, step=1, total_steps=30)
    backend.documents.progress[job.id] = progress
    assert backend.service.follow(job.id) == (job, progress)


def test_follow_ignores_the_progress_of_a_finished_job(backend: InMemoryBackend) -> None:
    job = backend.service.submit(JobRequest(prompt="x"))
    backend.jobs.finish(job.id, Outcome(status=JobStatus.FAILED, error=FAILURE), NOW)
    backend.documents.progress[job.id] = Progress(phase=Phase.UPLOADING, step=1, total_steps=1)
    followed, progress = backend.service.follow(job.id)
    assert (followed.status, progress) == (JobStatus.FAILED, None)


def test_following_an_unknown_job_is_an_error(backend: InMemoryBackend) -> None:
    with pytest.raises(JobNotFoundError):
        backend.service.follow("unknown")


def test_cancel_stores_the_marker_and_may_be_repeated(backend: InMemoryBackend) -> None:
    job = backend.service.submit(JobRequest(prompt="x"))
    for _ in range(2):
        canceled, _progress = backend.service.cancel(job.id)
        assert (canceled.status, canceled.cancel_requested) == (JobStatus.QUEUED, True)
    assert backend.documents.canceled == {job.id}


@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED])
def test_canceling_a_finished_job_is_an_error(backend: InMemoryBackend, status: JobStatus) -> None:
    job = backend.service.submit(JobRequest(prompt="x"))
    backend.jobs.finish(job.id, Outcome(status=status), NOW)
    with pytest.raises(AlreadyTerminalError, match=f"already ended with the status {status}"):
        backend.service.cancel(job.id)
    assert backend.documents.canceled == set()


def test_canceling_an_unknown_job_is_an_error(backend: InMemoryBackend) -> None:
    with pytest.raises(JobNotFoundError):
        backend.service.cancel("unknown")
    assert backend.documents.canceled == set()
