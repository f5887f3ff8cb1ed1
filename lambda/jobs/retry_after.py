"""The time until another request for an unfinished job."""

import math

from jobs.job import Estimate, JobSnapshot
from jobs.lifecycle import JobStatus

_SOON_S = 10
_UNKNOWN_RETRY_S = 10
_MAX_RETRY_S = 60


def retry_after_s(snapshot: JobSnapshot) -> int:
    """Seconds until an unfinished job is likely to have changed."""
    estimate = snapshot.estimate or Estimate()
    eta_s = estimate.eta_seconds
    if snapshot.job.status is JobStatus.RUNNING:
        return 1 if eta_s is not None and eta_s < _SOON_S else 2
    if eta_s is not None:
        return min(max(math.ceil(eta_s), 1), _MAX_RETRY_S)
    if estimate.waking_capacity:
        return _UNKNOWN_RETRY_S
    return min(2 * (estimate.position or 1), _UNKNOWN_RETRY_S)
