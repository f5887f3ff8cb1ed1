"""Idempotency keys: a request that is sent again returns the job of the first one.

The record of a key is stored in one transaction with its job: no key ever has two jobs, even if the function
dies between the two steps.
"""

import hashlib
from datetime import datetime, timedelta

from contract.submission import JobSubmission
from jobs.caller import Caller
from jobs.ports import IdempotencyRecord

_LIFETIME = timedelta(hours=24)


def idempotency_record(
    submission: JobSubmission, caller: Caller, key: str, *, job_id: str, now: datetime
) -> IdempotencyRecord:
    """The record of a request.

    Args:
        submission: the request.
        caller: keys of different callers are different.
        key: the value of the header Idempotency-Key.
        job_id: the id of the job to create.
        now: the time of the request.
    """
    return IdempotencyRecord(
        key=_digest(f"{caller.id}\n{key}"),
        fingerprint=_digest(submission.model_dump_json()),
        job_id=job_id,
        expires_at=(now + _LIFETIME).replace(microsecond=0),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
