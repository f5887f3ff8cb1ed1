"""The life of a job, as a state machine over everything that may happen to it in any order."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from contract.identifiers import MAX_ATTEMPTS, InvocationId
from contract.problem import ErrorCode, Problem
from contract.submission import JobSubmission
from jobs.completion_messages import CompletionMessage
from jobs.errors import AlreadyTerminalError, JobNotFoundError, JobRunningError
from jobs.lifecycle import TERMINAL, TRANSITIONS, UNFINISHED, Event, JobState, JobStatus, after, may_occur
from tests.jobs.fakes import BUCKET, CALLER, NOW, InMemoryBackend, a_result

PROBLEMS = st.sampled_from(
    [
        None,
        Problem.of(ErrorCode.ENDPOINT_UNAVAILABLE, "The container is shutting down."),
        Problem.of(ErrorCode.OUT_OF_MEMORY, "Reduce width or height."),
        Problem.of(ErrorCode.CANCELED, "The job was canceled."),
    ]
)
LONGEST_LIFE = timedelta(hours=8)
"""Longer than the time to live in the queue and two invocations."""


class JobLife(RuleBasedStateMachine):
    """Messages may be lost, repeated and reordered; jobs may be canceled and deleted at any moment."""

    jobs = Bundle("jobs")
    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.backend = InMemoryBackend()
        self.final: dict[str, JobStatus] = {}

    @rule(target=jobs, is_lost=st.booleans())
    def submit(self, is_lost: bool) -> str:
        self.backend.endpoints.unconfirmed = is_lost
        job = self.backend.service.submit(JobSubmission(prompt="x"), CALLER)
        self.backend.endpoints.unconfirmed = False
        return job.id

    @rule(job_id=jobs, attempt=st.integers(1, MAX_ATTEMPTS))
    def start(self, job_id: str, attempt: int) -> None:
        try:
            self.backend.completion.start(InvocationId(job_id, attempt), self.backend.now)
        except JobNotFoundError:
            return

    @rule(target=messages, job_id=jobs, attempt=st.integers(1, MAX_ATTEMPTS))
    def succeed(self, job_id: str, attempt: int) -> CompletionMessage:
        invocation = InvocationId(job_id, attempt)
        if invocation in self.backend.endpoints.invocations and job_id in self.backend.jobs.jobs:
            result = a_result(self.backend.jobs.get(job_id).generation)
            self.backend.documents.responses[f"s3://{BUCKET}/results/{invocation}"] = result
        return message("Completed", invocation)

    @rule(target=messages, job_id=jobs, attempt=st.integers(1, MAX_ATTEMPTS), problem=PROBLEMS)
    def fail(self, job_id: str, attempt: int, problem: Problem | None) -> CompletionMessage:
        invocation = InvocationId(job_id, attempt)
        uri = f"s3://{BUCKET}/failures/{invocation}-error.out"
        if problem is not None and invocation in self.backend.endpoints.invocations:
            self.backend.documents.responses.setdefault(uri, problem)
        return message("Failed", invocation)

    @rule(received=messages)
    def receive(self, received: CompletionMessage) -> None:
        try:
            self.backend.completion.finish(received)
        except JobNotFoundError:
            return

    @rule(job_id=jobs)
    def read(self, job_id: str) -> None:
        try:
            self.backend.service.follow(job_id, CALLER)
        except JobNotFoundError:
            return

    @rule(job_id=jobs)
    def cancel(self, job_id: str) -> None:
        try:
            self.backend.service.cancel(job_id, CALLER)
        except (JobNotFoundError, AlreadyTerminalError):
            return

    @rule(job_id=consumes(jobs))
    def delete(self, job_id: str) -> None:
        try:
            self.backend.service.delete(job_id, CALLER)
        except JobRunningError:
            assert self.backend.jobs.get(job_id).status in UNFINISHED
        else:
            self.final.pop(job_id, None)

    @rule(seconds=st.sampled_from([1, 100, 1200]))
    def reconcile(self, seconds: int) -> None:
        self.backend.now += timedelta(seconds=seconds)
        self.backend.reconciler.run(may_continue=lambda: True)

    @rule(is_missing=st.booleans())
    def replace_endpoint(self, is_missing: bool) -> None:
        self.backend.endpoints.missing = {"endpoint-1"} if is_missing else set()

    @invariant()
    def a_final_status_never_changes(self) -> None:
        for job in self.backend.jobs.jobs.values():
            if job.status.is_terminal:
                assert self.final.setdefault(job.id, job.status) is job.status
                assert job.finished_at is not None
                assert job.due_at is None
            else:
                assert job.id not in self.final
                assert job.due_at is not None

    @invariant()
    def attempts_are_bounded(self) -> None:
        assert all(1 <= job.attempt <= MAX_ATTEMPTS for job in self.backend.jobs.jobs.values())
        invocations = self.backend.endpoints.invocations
        assert len(invocations) == len(set(invocations))

    @invariant()
    def a_succeeded_job_has_its_own_images(self) -> None:
        for job in self.backend.jobs.jobs.values():
            assert (job.status is JobStatus.SUCCEEDED) == bool(job.images)
            assert all(f"/{job.id}/" in str(image.s3_uri) for image in job.images)

    def teardown(self) -> None:
        """Every job ends, even if nothing but the reconciler happens from now on."""
        for _ in range(2 * MAX_ATTEMPTS):
            self.backend.now += LONGEST_LIFE
            self.backend.reconciler.run(may_continue=lambda: True)
        assert all(job.status in TERMINAL for job in self.backend.jobs.jobs.values())


def message(status: str, invocation: InvocationId) -> CompletionMessage:
    return CompletionMessage.model_validate(
        {"invocationStatus": status, "eventTime": NOW, "inferenceId": str(invocation)}
    )


JobLife.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestJobLife = JobLife.TestCase


def test_a_final_status_has_no_event_but_the_deletion() -> None:
    for status in TERMINAL:
        occurring = {event for event in Event if may_occur(JobState(status), event)}
        assert occurring == {Event.DELETE}


def test_every_unfinished_status_can_end_in_every_final_status() -> None:
    for status in UNFINISHED:
        state = JobState(status)
        targets = {
            after(state, event).status
            for event in Event
            if event not in (Event.SUBMIT, Event.DELETE) and may_occur(state, event)
        }
        assert targets >= set(TERMINAL)


def test_every_event_has_a_cause() -> None:
    assert set(TRANSITIONS) == set(Event)
    assert all(transition.causes for transition in TRANSITIONS.values())


def test_the_failure_of_an_earlier_attempt_does_not_fail_the_current_one() -> None:
    state = JobState(JobStatus.QUEUED, attempt=2)
    assert not may_occur(state, Event.FAIL, attempt=1)
    assert may_occur(state, Event.FAIL, attempt=2)
    assert may_occur(state, Event.SUCCEED, attempt=1)


def test_an_interrupted_attempt_neither_starts_nor_fails_again() -> None:
    state = after(JobState(JobStatus.RUNNING), Event.INTERRUPT)
    assert state == JobState(JobStatus.QUEUED, interrupted=True)
    for event in (Event.START, Event.INTERRUPT, Event.FAIL):
        assert not may_occur(state, event, attempt=1)
    assert after(state, Event.RESUBMIT) == JobState(JobStatus.QUEUED, attempt=2)


def test_a_canceled_job_is_not_submitted_again() -> None:
    state = JobState(JobStatus.RUNNING, cancel_requested=True)
    assert not may_occur(state, Event.INTERRUPT, attempt=1)
    assert not may_occur(state, Event.RESUBMIT)
