import pytest

from contract.generation import InvalidRequestError
from contract.progress import Phase, Progress
from contract.request import JobRequest
from jobs.errors import AlreadyTerminalError, HandoverError, JobNotFoundError, ModelNotFoundError
from jobs.job import Job, JobStatus, Outcome
from tests.jobs.fakes import FAILURE, INVOCATION, NOW, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_submitted_job_is_on_record_stored_and_handed_over(world: World) -> None:
    job = world.service.submit(JobRequest(prompt="x", count=2))
    assert world.jobs.get(job.id) == job
    assert (job.status, job.invocation, job.created_at) == (JobStatus.QUEUED, INVOCATION, NOW)
    ((uri, stored),) = world.documents.requests.items()
    assert stored == job.generation
    assert world.endpoints.invocations == [("demo", job.id, uri)]


def test_the_record_is_written_before_the_endpoint_hears_of_the_job(world: World) -> None:
    seen: list[JobStatus] = []
    invoke = world.endpoints.invoke

    def watching(model: str, job_id: str, uri: str) -> object:
        seen.append(world.jobs.get(job_id).status)
        return invoke(model, job_id, uri)

    world.endpoints.invoke = watching
    world.service.submit(JobRequest(prompt="x"))
    assert seen == [JobStatus.QUEUED]


def test_a_completion_faster_than_the_answer_is_not_undone(world: World) -> None:
    invoke = world.endpoints.invoke

    def instantly(model: str, job_id: str, uri: str) -> object:
        world.jobs.settle(job_id, Outcome(status=JobStatus.SUCCEEDED), NOW)
        return invoke(model, job_id, uri)

    world.endpoints.invoke = instantly
    job = world.service.submit(JobRequest(prompt="x"))
    assert world.jobs.get(job.id).status is JobStatus.SUCCEEDED


def test_a_job_goes_to_the_model_it_names(world: World) -> None:
    world.service.submit(JobRequest(prompt="x", model="other"))
    assert world.endpoints.invocations[0][0] == "other"


def test_a_seed_is_chosen_where_none_is_named(world: World) -> None:
    seeds = {world.service.submit(JobRequest(prompt="x")).generation.seed for _ in range(5)}
    assert len(seeds) > 1


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (JobRequest(prompt="x", model="nobody"), ModelNotFoundError),
        (JobRequest(prompt="x", width=776), InvalidRequestError),
        (JobRequest(prompt="x", input_image="s3://elsewhere/inputs/a.png"), InvalidRequestError),
        (JobRequest(prompt="x", input_image="s3://data/requests/J.json"), InvalidRequestError),
        (JobRequest(prompt="x", input_image="data:image/png;base64,!"), InvalidRequestError),
        (JobRequest(prompt="x", input_image="data:image/png;base64,AAAA", steps=999), InvalidRequestError),
    ],
)
def test_a_wrong_request_leaves_nothing_behind(
    world: World, request_: JobRequest, error: type[Exception]
) -> None:
    with pytest.raises(error):
        world.service.submit(request_)
    assert (world.jobs.jobs, world.documents.requests, world.endpoints.invocations) == ({}, {}, [])
    assert world.documents.pictures == []


@pytest.mark.parametrize("uri", ["s3://data/inputs/a.png", "s3://data/outputs/J/0.png"])
def test_inputs_and_earlier_outputs_may_be_drawn_from(world: World, uri: str) -> None:
    assert world.service.submit(JobRequest(prompt="x", input_image=uri)).generation.input_image == uri


def test_a_picture_that_comes_along_is_stored_before_the_job_is_on_record(world: World) -> None:
    seen = []
    create = world.jobs.create

    def watching(job: Job) -> None:
        seen.extend(world.documents.pictures)
        create(job)

    world.jobs.create = watching
    job = world.service.submit(JobRequest(prompt="x", input_image="data:image/png;base64,AAAA"))
    ((picture),) = seen
    assert picture.data == b"\0\0\0"
    assert job.generation.input_image == picture.location.uri == f"s3://data/inputs/{job.id}/input_image"


def test_a_job_whose_pictures_cannot_be_stored_is_not_on_record(world: World) -> None:
    world.documents.refuses = True
    with pytest.raises(HandoverError):
        world.service.submit(JobRequest(prompt="x", input_image="data:image/png;base64,AAAA"))
    assert world.jobs.jobs == {}


@pytest.mark.parametrize("part", ["documents", "endpoints"])
def test_a_job_that_is_not_taken_ends_failed(world: World, part: str) -> None:
    getattr(world, part).refuses = True
    with pytest.raises(HandoverError):
        world.service.submit(JobRequest(prompt="x"))
    (job,) = world.jobs.jobs.values()
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.code == "endpoint_unavailable"


def test_an_unfinished_job_is_followed_with_its_progress(world: World) -> None:
    job = world.service.submit(JobRequest(prompt="x"))
    assert world.service.follow(job.id) == (job, None)
    progress = Progress(phase=Phase.DENOISING, step=1, total_steps=30)
    world.documents.progress[job.id] = progress
    assert world.service.follow(job.id) == (job, progress)


def test_progress_that_comes_late_does_not_matter_to_a_finished_job(world: World) -> None:
    job = world.service.submit(JobRequest(prompt="x"))
    world.jobs.settle(job.id, Outcome(status=JobStatus.FAILED, error=FAILURE), NOW)
    world.documents.progress[job.id] = Progress(phase=Phase.UPLOADING, step=1, total_steps=1)
    followed, progress = world.service.follow(job.id)
    assert (followed.status, progress) == (JobStatus.FAILED, None)


def test_an_unknown_job_cannot_be_followed(world: World) -> None:
    with pytest.raises(JobNotFoundError):
        world.service.follow("nobody")


def test_a_canceled_job_is_marked_for_the_container_and_asking_again_changes_nothing(world: World) -> None:
    job = world.service.submit(JobRequest(prompt="x"))
    for _ in range(2):
        canceled, _progress = world.service.cancel(job.id)
        assert (canceled.status, canceled.cancel_requested) == (JobStatus.QUEUED, True)
    assert world.documents.canceled == {job.id}


@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED])
def test_a_job_that_has_ended_cannot_be_canceled(world: World, status: JobStatus) -> None:
    job = world.service.submit(JobRequest(prompt="x"))
    world.jobs.settle(job.id, Outcome(status=status), NOW)
    with pytest.raises(AlreadyTerminalError, match=f"it is {status}"):
        world.service.cancel(job.id)
    assert world.documents.canceled == set()


def test_an_unknown_job_cannot_be_canceled(world: World) -> None:
    with pytest.raises(JobNotFoundError):
        world.service.cancel("nobody")
    assert world.documents.canceled == set()
