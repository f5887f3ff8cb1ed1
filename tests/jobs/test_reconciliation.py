"""Every known way to strand a job, and the reconciler that ends it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from contract.problem import ErrorCode, Problem
from contract.submission import JobSubmission
from jobs.completion_messages import CompletionMessage
from jobs.errors import EndpointUnavailableError
from jobs.job import Invocation, Job
from jobs.lifecycle import JobStatus
from jobs.ports import Waking
from jobs.reconciliation import Action
from tests.jobs.fakes import CALLER, FAILURE, NOW, InMemoryBackend, a_result, invocation_of

OVERDUE = timedelta(seconds=21_600 + 900 + 120)


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend()


def submit(backend: InMemoryBackend) -> Job:
    return backend.service.submit(JobSubmission(prompt="a red circle"), CALLER)


def reconcile(backend: InMemoryBackend, after: timedelta = timedelta()) -> dict[Action, int]:
    backend.now += after
    return dict(backend.reconciler.run(may_continue=lambda: True))


def interrupt(backend: InMemoryBackend, job: Job) -> None:
    backend.completion.finish(
        CompletionMessage.model_validate(
            {"invocationStatus": "Failed", "eventTime": NOW, "inferenceId": str(job.invocation_id)}
        )
    )


def store_result(backend: InMemoryBackend, job: Job) -> None:
    backend.documents.responses[invocation_of(job, job.attempt).output_location] = a_result(job.generation)


def store_failure(backend: InMemoryBackend, job: Job) -> None:
    backend.documents.responses[str(invocation_of(job, job.attempt).failure_location)] = FAILURE


def store_cancellation(backend: InMemoryBackend, job: Job) -> None:
    problem = Problem.of(ErrorCode.CANCELED, "The job was canceled.")
    backend.documents.responses[str(invocation_of(job).failure_location)] = problem


@pytest.mark.parametrize(
    ("store", "status"),
    [
        (store_result, JobStatus.SUCCEEDED),
        (store_failure, JobStatus.FAILED),
        (store_cancellation, JobStatus.CANCELED),
    ],
)
def test_a_job_whose_completion_message_was_lost_ends_as_its_response_says(
    backend: InMemoryBackend, store: Callable[[InMemoryBackend, Job], None], status: JobStatus
) -> None:
    job = submit(backend)
    store(backend, job)
    assert reconcile(backend, OVERDUE) == {Action.COMPLETED: 1}
    assert backend.jobs.get(job.id).status is status


def test_a_job_that_is_not_overdue_is_left_alone(backend: InMemoryBackend) -> None:
    job = submit(backend)
    assert reconcile(backend, OVERDUE - timedelta(seconds=1)) == {}
    assert backend.jobs.get(job.id) == job


def test_a_job_past_its_time_to_live_expires(backend: InMemoryBackend) -> None:
    job = submit(backend)
    assert reconcile(backend, OVERDUE) == {Action.EXPIRED: 1}
    expired = backend.jobs.get(job.id)
    assert (expired.status, expired.due_at) == (JobStatus.EXPIRED, None)
    assert expired.error is not None
    assert (expired.error.code, expired.error.retryable) == (ErrorCode.EXPIRED, True)


def test_a_started_job_expires_after_its_invocation_timeout(backend: InMemoryBackend) -> None:
    job = submit(backend)
    backend.completion.start(job.invocation_id, backend.now)
    assert reconcile(backend, timedelta(seconds=900 + 119)) == {}
    assert reconcile(backend, timedelta(seconds=1)) == {Action.EXPIRED: 1}


def test_a_canceled_job_that_is_overdue_is_canceled(backend: InMemoryBackend) -> None:
    job = submit(backend)
    backend.service.cancel(job.id, CALLER)
    assert reconcile(backend, OVERDUE) == {Action.CANCELED: 1}
    assert backend.jobs.get(job.id).status is JobStatus.CANCELED


def test_an_interrupted_job_is_submitted_once_more(backend: InMemoryBackend) -> None:
    job = submit(backend)
    interrupt(backend, job)
    assert reconcile(backend) == {Action.RESUBMITTED: 1}
    again = backend.jobs.get(job.id)
    assert (again.status, again.attempt, again.interrupted) == (JobStatus.QUEUED, 2, False)
    assert again.invocation == invocation_of(job, 2)
    assert backend.endpoints.invocations == [job.invocation_id, again.invocation_id]
    assert reconcile(backend, timedelta(minutes=5)) == {}


def test_a_job_that_was_canceled_before_its_attempt_was_interrupted_is_canceled(
    backend: InMemoryBackend,
) -> None:
    job = submit(backend)
    interrupt(backend, job)
    backend.service.cancel(job.id, CALLER)
    assert reconcile(backend) == {Action.CANCELED: 1}
    assert len(backend.endpoints.invocations) == 1


def test_a_job_whose_submission_has_no_answer_is_submitted_once_more_and_fails_then(
    backend: InMemoryBackend,
) -> None:
    backend.endpoints.unconfirmed = True
    job = submit(backend)
    assert (job.status, job.invocation) == (JobStatus.QUEUED, None)
    assert reconcile(backend, timedelta(seconds=89)) == {}
    assert reconcile(backend, timedelta(seconds=1)) == {Action.RESUBMITTED: 1}
    assert reconcile(backend, timedelta(seconds=90)) == {Action.FAILED: 1}
    error = backend.jobs.get(job.id).error
    assert error is not None
    assert (error.code, error.retryable) == (ErrorCode.ENDPOINT_UNAVAILABLE, True)


def test_a_job_whose_submission_has_no_answer_but_which_started_is_not_submitted_again(
    backend: InMemoryBackend,
) -> None:
    backend.endpoints.unconfirmed = True
    job = submit(backend)
    backend.completion.start(job.invocation_id, backend.now)
    assert reconcile(backend, timedelta(seconds=90)) == {}


def test_a_job_whose_function_died_before_the_invocation_is_submitted(
    backend: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_arguments: object) -> Invocation:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(backend.endpoints, "invoke", die)
        with pytest.raises(SystemExit):
            submit(backend)
    assert reconcile(backend, timedelta(seconds=90)) == {Action.RESUBMITTED: 1}


def test_a_refused_job_whose_failure_could_not_be_stored_ends(
    backend: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.endpoints.unavailable = True

    def fail(_job: Job) -> bool:
        raise RuntimeError("the table is unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(backend.jobs, "save", fail)
        with pytest.raises(RuntimeError):
            submit(backend)
    assert reconcile(backend, timedelta(seconds=90)) == {Action.FAILED: 1}


def test_the_jobs_of_a_missing_endpoint_are_submitted_to_the_current_one(backend: InMemoryBackend) -> None:
    job = submit(backend)
    backend.completion.start(job.invocation_id, backend.now)
    backend.endpoints.missing = {"endpoint-1"}
    assert reconcile(backend) == {Action.RESUBMITTED: 1}


def test_the_jobs_of_a_removed_endpoint_fail_if_there_is_no_other(backend: InMemoryBackend) -> None:
    job = submit(backend)
    backend.endpoints.missing = {"endpoint-1"}
    backend.endpoints.unavailable = True
    assert reconcile(backend) == {Action.FAILED: 1}
    assert backend.jobs.get(job.id).status is JobStatus.FAILED


def test_a_job_that_cannot_be_examined_does_not_keep_the_others_from_it(
    backend: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = submit(backend), submit(backend)
    get = backend.jobs.get

    def fail(job_id: str) -> Job:
        if job_id == bad.id:
            raise RuntimeError("the record is damaged")
        return get(job_id)

    with monkeypatch.context() as patch:
        patch.setattr(backend.jobs, "get", fail)
        assert reconcile(backend, OVERDUE) == {Action.EXPIRED: 1}
    assert backend.jobs.get(good.id).status is JobStatus.EXPIRED


def test_a_run_ends_when_its_time_is_up_and_the_next_one_continues(backend: InMemoryBackend) -> None:
    for _ in range(3):
        submit(backend)
    backend.now += OVERDUE
    permissions = iter([True, False])
    assert dict(backend.reconciler.run(may_continue=lambda: next(permissions))) == {Action.EXPIRED: 1}
    assert reconcile(backend) == {Action.EXPIRED: 2}


def test_the_waking_time_lasts_from_the_oldest_job_until_there_is_an_instance(
    backend: InMemoryBackend,
) -> None:
    backend.endpoints.count = 0
    job = submit(backend)
    reconcile(backend, timedelta(seconds=60))
    assert backend.estimates.wakings == {"demo": Waking(since=job.created_at)}
    reconcile(backend, timedelta(seconds=60))
    backend.endpoints.count = 1
    reconcile(backend, timedelta(seconds=60))
    reconcile(backend, timedelta(seconds=60))
    assert backend.estimates.wakings == {"demo": Waking(seconds=(180.0,))}


def test_an_idle_endpoint_without_instances_is_not_waking(backend: InMemoryBackend) -> None:
    backend.endpoints.count = 0
    reconcile(backend)
    assert backend.estimates.wakings == {}


def test_an_endpoint_that_refuses_the_second_attempt_fails_the_job(backend: InMemoryBackend) -> None:
    job = submit(backend)
    interrupt(backend, job)
    backend.endpoints.unavailable = True
    assert reconcile(backend) == {Action.FAILED: 1}
    error = backend.jobs.get(job.id).error
    assert error is not None
    assert error.code is EndpointUnavailableError.code
