"""Requests that wait for their images, with a clock that moves when they sleep."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

import pytest

from contract.environment import WAIT_S
from contract.generation import InvalidRequestError
from contract.problem import ErrorCode, ProblemError
from contract.submission import JobSubmission
from jobs.caller import Caller
from jobs.errors import EndpointUnavailableError, JobNotFoundError, StillRunningError
from jobs.job import Job
from jobs.lifecycle import Event, JobStatus
from tests.jobs.fakes import CALLER, FAILURE, InMemoryBackend, a_result

OTHER = Caller("key:other")
SUBMISSION = JobSubmission(prompt="a red circle")
Happening = Callable[[], object]


class Waiting:
    """A backend, and what happens to it while a request waits.

    Attributes:
        events: calls at times in seconds from the start.
        sleeps: the number of sleeps.
    """

    def __init__(self, *, shared: bool = True) -> None:
        self.backend = InMemoryBackend(shared=shared, on_sleep=self._on_sleep)
        self.service = self.backend.synchronous
        self.events: dict[float, Happening] = {}
        self.sleeps = 0

    def _on_sleep(self) -> None:
        self.sleeps += 1
        for at in [at for at in self.events if at <= self.time]:
            self.events.pop(at)()

    @property
    def time(self) -> float:
        return self.backend.slept_s

    @property
    def jobs(self) -> list[Job]:
        return list(self.backend.jobs.jobs.values())

    def store_result(self) -> None:
        """Stores the result of the latest job in S3, without a completion message."""
        job = self.jobs[-1]
        self.backend.documents.responses[f"s3://data/results/{job.invocation_id}"] = a_result(job.generation)

    def finish(self) -> None:
        """Finishes the latest job, as its completion message does."""
        self.store_result()
        self.backend.completion.complete(self.jobs[-1])

    def fail(self) -> None:
        job = self.jobs[-1]
        changes = {"error": FAILURE, "finished_at": self.backend.now, "due_at": None}
        self.backend.changes.apply(job, Event.FAIL, **changes)

    def generate(self, fingerprint: str = "f", caller: Caller = CALLER) -> Job:
        with self.service.generated(SUBMISSION, caller, fingerprint) as job:
            return job


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


def test_a_job_that_ends_in_time_is_returned(waiting: Waiting) -> None:
    waiting.events[3] = waiting.finish
    job = waiting.generate()
    assert job.status is JobStatus.SUCCEEDED
    assert len(job.images) == 1
    assert 3 <= waiting.time <= 3.5


def test_a_result_without_a_completion_message_is_found(waiting: Waiting) -> None:
    waiting.events[3] = waiting.store_result
    assert waiting.generate().status is JobStatus.SUCCEEDED
    assert waiting.time <= 6


def test_a_job_that_does_not_end_in_time_goes_on_and_the_same_request_joins_it(waiting: Waiting) -> None:
    with pytest.raises(StillRunningError) as caught:
        waiting.generate()
    assert waiting.time == WAIT_S
    assert caught.value.retry_after_s
    assert 1 <= caught.value.retry_after_s <= 60
    problem = caught.value.problem()
    assert (problem.status, problem.code, problem.retryable) == (503, ErrorCode.STILL_RUNNING, True)

    waiting.events[40] = waiting.finish
    assert waiting.generate().status is JobStatus.SUCCEEDED
    assert len(waiting.jobs) == len(waiting.backend.endpoints.invocations) == 1


def test_the_reads_while_waiting_are_bounded(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    read = waiting.backend.documents.read_result
    monkeypatch.setattr(waiting.backend.documents, "read_result", lambda uri: reads.append(uri) or read(uri))
    with pytest.raises(StillRunningError):
        waiting.generate()
    assert waiting.sleeps == 50
    assert len(reads) <= 15


def test_an_identical_request_during_the_wait_joins_the_job(waiting: Waiting) -> None:
    joined: list[Job] = []

    def repeat() -> None:
        waiting.events[2] = waiting.finish
        joined.append(waiting.generate())

    waiting.events[1] = repeat
    assert waiting.generate() == joined[0]
    assert len(waiting.jobs) == 1


def test_a_request_joins_a_job_that_is_still_being_submitted(waiting: Waiting) -> None:
    waiting.backend.endpoints.unconfirmed = True
    with pytest.raises(StillRunningError):
        waiting.generate()
    waiting.events[waiting.time + 1] = waiting.finish
    assert waiting.generate().status is JobStatus.SUCCEEDED
    assert len(waiting.jobs) == 1


def test_after_the_answer_an_identical_request_generates_again(waiting: Waiting) -> None:
    waiting.events |= {1: waiting.finish, 5: waiting.finish}
    first, second = waiting.generate(), waiting.generate()
    assert first.id != second.id


def test_an_answer_that_could_not_be_made_is_made_from_the_same_job(waiting: Waiting) -> None:
    waiting.events[1] = waiting.finish
    answer = ExitStack()
    job = answer.enter_context(waiting.service.generated(SUBMISSION, CALLER, "f"))
    lost = ZeroDivisionError()
    assert not answer.__exit__(ZeroDivisionError, lost, None)
    assert waiting.generate() == job


def test_a_late_answer_does_not_release_the_job_of_a_newer_request(waiting: Waiting) -> None:
    waiting.events[1] = waiting.finish
    with waiting.service.generated(SUBMISSION, CALLER, "f") as first:
        assert waiting.generate() == first
        with pytest.raises(StillRunningError):
            waiting.generate()
    waiting.events[waiting.time + 1] = waiting.finish
    waiting.generate()
    assert len(waiting.jobs) == 2


def test_other_callers_and_other_fingerprints_have_other_jobs(waiting: Waiting) -> None:
    for number, (fingerprint, caller) in enumerate((("f", CALLER), ("g", CALLER), ("f", OTHER)), 1):
        with pytest.raises(StillRunningError):
            waiting.generate(fingerprint, caller)
        assert len(waiting.jobs) == number


def test_a_job_is_joined_for_a_quarter_of_an_hour_at_most(waiting: Waiting) -> None:
    with pytest.raises(StillRunningError):
        waiting.generate()
    waiting.backend.now += timedelta(minutes=15)
    with pytest.raises(StillRunningError):
        waiting.generate()
    assert len(waiting.jobs) == 2


def test_a_repetition_is_recognized_by_its_fingerprint_alone(waiting: Waiting) -> None:
    """The translation of the same request may store its image under another name."""
    with pytest.raises(StillRunningError):
        waiting.generate()
    waiting.events[waiting.time + 1] = waiting.finish
    other = JobSubmission(prompt="a red circle", tags=("x",))
    with waiting.service.generated(other, CALLER, "f") as job:
        assert job.id == waiting.jobs[0].id


def test_a_job_that_fails_raises_its_problem_and_the_same_request_generates_again(waiting: Waiting) -> None:
    waiting.events |= {1: waiting.fail, 5: waiting.finish}
    with pytest.raises(ProblemError) as caught:
        waiting.generate()
    assert (caught.value.code, caught.value.detail) == (FAILURE.code, FAILURE.detail)
    assert waiting.generate().status is JobStatus.SUCCEEDED


def test_a_job_that_is_canceled_raises_that(waiting: Waiting) -> None:
    def cancel() -> None:
        changes = {"finished_at": waiting.backend.now, "due_at": None}
        waiting.backend.changes.apply(waiting.jobs[-1], Event.CANCEL, **changes)

    waiting.events[1] = cancel
    with pytest.raises(ProblemError) as caught:
        waiting.generate()
    assert caught.value.code is ErrorCode.CANCELED


def test_a_refused_submission_is_not_waited_for(waiting: Waiting) -> None:
    with (
        pytest.raises(InvalidRequestError),
        waiting.service.generated(JobSubmission(prompt="x", steps=150, width=8 * 100), CALLER, "f"),
    ):
        pass
    waiting.backend.endpoints.unavailable = True
    with pytest.raises(EndpointUnavailableError):
        waiting.generate()
    assert waiting.time == 0


def test_a_job_that_was_deleted_is_not_joined(waiting: Waiting) -> None:
    with pytest.raises(StillRunningError):
        waiting.generate()
    waiting.backend.jobs.delete(waiting.jobs[0].id)
    waiting.events[waiting.time + 1] = waiting.finish
    assert waiting.generate().status is JobStatus.SUCCEEDED


def test_a_wait_ends_with_the_job_or_after_its_limit(waiting: Waiting) -> None:
    job = waiting.backend.service.submit(SUBMISSION, CALLER)
    snapshot = waiting.service.wait(job.id, CALLER, limit_s=4)
    assert (waiting.time, snapshot.job.status, snapshot.estimate is not None) == (4, JobStatus.QUEUED, True)
    waiting.events[5] = waiting.finish
    assert waiting.service.wait(job.id, CALLER, limit_s=1000).job.status is JobStatus.SUCCEEDED
    assert waiting.time == 5
    assert waiting.service.wait(job.id, CALLER, limit_s=10).job.status is JobStatus.SUCCEEDED
    assert waiting.time == 5


def test_a_wait_for_another_callers_job_is_refused() -> None:
    waiting = Waiting(shared=False)
    job = waiting.backend.service.submit(SUBMISSION, CALLER)
    with pytest.raises(JobNotFoundError):
        waiting.service.wait(job.id, OTHER, limit_s=4)
    assert waiting.time == 0
