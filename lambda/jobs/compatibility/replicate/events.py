"""The events of Replicate's webhooks."""

from collections.abc import Iterable
from enum import StrEnum

from contract.submission import FINAL_EVENTS, WebhookEvent


class PredictionEvent(StrEnum):
    """An event that a prediction's webhook is called for."""

    START = "start"
    OUTPUT = "output"
    LOGS = "logs"
    COMPLETED = "completed"


_JOB_EVENTS: dict[PredictionEvent, tuple[WebhookEvent, ...]] = {
    PredictionEvent.START: (WebhookEvent.STARTED,),
    PredictionEvent.OUTPUT: (WebhookEvent.SUCCEEDED,),  # all images are stored at once
    PredictionEvent.LOGS: (),
    PredictionEvent.COMPLETED: FINAL_EVENTS,
}


def job_events(events: Iterable[PredictionEvent]) -> tuple[WebhookEvent, ...]:
    """The events of a job that correspond to those of a prediction. None corresponds to `logs`."""
    wanted = {event for each in events for event in _JOB_EVENTS[each]}
    return tuple(event for event in WebhookEvent if event in wanted)
