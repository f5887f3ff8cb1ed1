"""Idempotency keys: a request that is sent again returns the job of the first one.

The record of a key is stored in one transaction with its job: no key ever has two jobs, even if the function
dies between the two steps.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from contract.submission import JobSubmission
from jobs.caller import Caller
from jobs.ports import IdempotencyRecord


@dataclass(frozen=True, kw_only=True)
class IdempotencyKey:
    """The key of a request.

    Attributes:
        text: keys of different callers are different.
        request: distinguishes requests with the same key, which are refused; None: by all their fields.
        lifetime: when the key may be used again.
    """

    text: str
    request: str | None = None
    lifetime: timedelta = timedelta(hours=24)

    def record_key(self, caller: Caller) -> str:
        """The key of the record."""
        return _digest(f"{caller.id}\n{self.text}")


def idempotency_record(
    submission: JobSubmission, caller: Caller, key: IdempotencyKey, *, job_id: str, now: datetime
) -> IdempotencyRecord:
    """The record of a request.

    Args:
        submission: the request.
        caller: the request's caller.
        key: the request's key.
        job_id: the id of the job to create.
        now: the time of the request.
    """
    return IdempotencyRecord(
        key=key.record_key(caller),
        fingerprint=_digest(submission.model_dump_json() if key.request is None else key.request),
        job_id=job_id,
        expires_at=(now + key.lifetime).replace(microsecond=0),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
