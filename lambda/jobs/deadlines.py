"""The times at which the reconciler examines an unfinished job."""

from datetime import datetime, timedelta

from contract.environment import ModelEndpoint

_UNCONFIRMED = timedelta(seconds=90)
"""Longer than the timeout of the functions that invoke endpoints."""

_GRACE = timedelta(seconds=120)
"""For SageMaker to store the response, and for the completion message to be processed."""


def due_unconfirmed(now: datetime) -> datetime:
    """For a job that is about to be submitted to its endpoint."""
    return now + _UNCONFIRMED


def due_accepted(now: datetime, endpoint: ModelEndpoint) -> datetime:
    """For a job that its endpoint has accepted: SageMaker has dropped it, or has finished it, by then."""
    lifetime = timedelta(seconds=endpoint.request_ttl_s + endpoint.invocation_timeout_s)
    return now + lifetime + _GRACE


def due_started(started_at: datetime, endpoint: ModelEndpoint) -> datetime:
    """For a job that has started."""
    return started_at + timedelta(seconds=endpoint.invocation_timeout_s) + _GRACE
