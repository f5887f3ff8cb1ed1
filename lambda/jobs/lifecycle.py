"""The life of a job: its statuses, the events that change them, and the causes of each event.

Every change of a job's state is decided here; the diagram in docs/reliability.md is made from `TRANSITIONS`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from contract.identifiers import MAX_ATTEMPTS


class JobStatus(StrEnum):
    """The status of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"

    @property
    def is_terminal(self) -> bool:
        """True if the job has ended."""
        return self not in UNFINISHED


UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)
TERMINAL = tuple(status for status in JobStatus if status not in UNFINISHED)


class Event(StrEnum):
    """An event in the life of a job."""

    SUBMIT = "submit"
    START = "start"
    REQUEST_CANCELLATION = "request_cancellation"
    INTERRUPT = "interrupt"
    RESUBMIT = "resubmit"
    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"
    EXPIRE = "expire"
    DELETE = "delete"


class Cause(StrEnum):
    """The origin of an event."""

    CLIENT = "client"
    START_MARKER = "start marker"
    COMPLETION_MESSAGE = "completion message"
    READ = "GET of the job"
    RECONCILER = "reconciler"


class Transition(NamedTuple):
    """A permitted change of a job.

    Attributes:
        sources: the statuses in which the event may occur; empty for the event that creates the job.
        target: the new status; None if the status remains, or if the job is deleted.
    """

    sources: tuple[JobStatus, ...]
    target: JobStatus | None
    causes: tuple[Cause, ...]


_COMPLETION = (Cause.COMPLETION_MESSAGE, Cause.READ, Cause.RECONCILER)

TRANSITIONS = {
    Event.SUBMIT: Transition((), JobStatus.QUEUED, (Cause.CLIENT,)),
    Event.START: Transition((JobStatus.QUEUED,), JobStatus.RUNNING, (Cause.START_MARKER,)),
    Event.REQUEST_CANCELLATION: Transition(UNFINISHED, None, (Cause.CLIENT,)),
    Event.INTERRUPT: Transition(UNFINISHED, JobStatus.QUEUED, _COMPLETION),
    Event.RESUBMIT: Transition(UNFINISHED, JobStatus.QUEUED, (Cause.RECONCILER,)),
    Event.SUCCEED: Transition(UNFINISHED, JobStatus.SUCCEEDED, _COMPLETION),
    Event.FAIL: Transition(UNFINISHED, JobStatus.FAILED, (Cause.CLIENT, *_COMPLETION)),
    Event.CANCEL: Transition(UNFINISHED, JobStatus.CANCELED, _COMPLETION),
    Event.EXPIRE: Transition(UNFINISHED, JobStatus.EXPIRED, (Cause.RECONCILER,)),
    Event.DELETE: Transition(TERMINAL, None, (Cause.CLIENT,)),
}
"""Every permitted change. `FAIL` by a client: the endpoint refused the job at its submission."""

FINAL_EVENTS = {
    transition.target: event
    for event, transition in TRANSITIONS.items()
    if transition.target is not None and transition.target.is_terminal
}
"""The event that leads to each final status."""


@dataclass(frozen=True)
class JobState:
    """The part of a job's record that decides which events may occur.

    Attributes:
        attempt: the number of the current invocation, from 1.
        interrupted: the current attempt has ended without a result, and the next one is due.
    """

    status: JobStatus
    attempt: int = 1
    interrupted: bool = False
    cancel_requested: bool = False


def may_occur(state: JobState, event: Event, *, attempt: int | None = None) -> bool:
    """Whether an event may occur in a state.

    Args:
        state: the job's state.
        event: the event.
        attempt: the attempt that the event belongs to; None if the event belongs to none.
    """
    if state.status not in TRANSITIONS[event].sources:
        return False
    is_of_current_attempt = attempt in (None, state.attempt) and not state.interrupted
    match event:
        case Event.START:
            return is_of_current_attempt
        case Event.INTERRUPT:
            return is_of_current_attempt and has_attempts_left(state)
        case Event.RESUBMIT:
            return has_attempts_left(state)
        case Event.FAIL | Event.CANCEL:
            # The failure of an earlier attempt says nothing about the current one; a result always counts.
            return attempt is None or is_of_current_attempt
        case _:
            return True


def has_attempts_left(state: JobState) -> bool:
    """Whether the job may be submitted once more. A job whose cancellation was requested is not."""
    return state.attempt < MAX_ATTEMPTS and not state.cancel_requested


def after(state: JobState, event: Event) -> JobState:
    """The state after an event that may occur in `state`, other than `DELETE`."""
    target = TRANSITIONS[event].target or state.status
    match event:
        case Event.REQUEST_CANCELLATION:
            return replace(state, cancel_requested=True)
        case Event.INTERRUPT:
            return replace(state, status=target, interrupted=True)
        case Event.RESUBMIT:
            return replace(state, status=target, attempt=state.attempt + 1, interrupted=False)
        case _:
            return replace(state, status=target)
