"""Changes of job records. Events are decided by the job's life, and announced to the job's webhook."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from contract.submission import WebhookEvent
from jobs.errors import ConcurrentChangeError
from jobs.job import Invocation, Job
from jobs.lifecycle import Event
from jobs.ports import JobRepository, WebhookQueue

_MAX_TRIES = 10
_WEBHOOK_EVENTS = {
    Event.START: WebhookEvent.STARTED,
    Event.SUCCEED: WebhookEvent.SUCCEEDED,
    Event.FAIL: WebhookEvent.FAILED,
    Event.CANCEL: WebhookEvent.CANCELED,
    Event.EXPIRE: WebhookEvent.EXPIRED,
}


@dataclass(frozen=True, kw_only=True)
class JobChanges:
    """Changes job records with optimistic locking."""

    jobs: JobRepository
    webhooks: WebhookQueue

    def apply(self, job: Job, event: Event, *, attempt: int | None = None, **attributes: Any) -> Job | None:
        """Applies an event to the job's current record.

        The webhook is queued first, so that a crash between the two cannot lose it; the delivery waits until
        the record shows the event.

        Args:
            job: the record as it was read.
            event: the event.
            attempt: the attempt that the event belongs to; None if it belongs to none.
            attributes: further attributes to change.

        Returns:
            The changed record; None if the event may not occur, for example since the job has ended.

        Raises:
            JobNotFoundError: the job has been deleted.
            RecordTooLargeError: the record exceeds the limit of the table.
        """

        def change(current: Job) -> Job | None:
            changed = current.after(event, attempt=attempt, **attributes)
            if changed is not None:
                self._announce(current, event)
            return changed

        return self._save(job, change)

    def confirm(self, job: Job, invocation: Invocation, **attributes: Any) -> Job:
        """Stores the accepted invocation of the current attempt, even if the job has ended meanwhile."""

        def change(current: Job) -> Job | None:
            if current.attempt != job.attempt:
                return None
            if current.status.is_terminal or current.started_at is not None:
                return replace(current, invocation=invocation)
            return replace(current, invocation=invocation, **attributes)

        return self._save(job, change) or job

    def retag(self, job: Job, tags: tuple[str, ...]) -> Job:
        """Replaces the tags of the job, whatever else changes meanwhile.

        Raises:
            JobNotFoundError: the job has been deleted.
            RecordTooLargeError: the record exceeds the limit of the table.
        """
        return self._save(job, lambda current: replace(current, tags=tags)) or job

    def _save(self, job: Job, change: Callable[[Job], Job | None]) -> Job | None:
        for _ in range(_MAX_TRIES):
            changed = change(job)
            if changed is None:
                return None
            if self.jobs.save(changed):
                return replace(changed, revision=job.revision + 1)
            job = self.jobs.get(job.id)
        raise ConcurrentChangeError(f"the record of job {job.id} was changed {_MAX_TRIES} times meanwhile")

    def _announce(self, job: Job, event: Event) -> None:
        webhook_event = _WEBHOOK_EVENTS.get(event)
        if job.webhook is not None and webhook_event in job.webhook.events:
            self.webhooks.send(job.id, webhook_event)
