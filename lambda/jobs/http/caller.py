"""The caller of a request, from what API Gateway has authenticated."""

from collections.abc import Mapping
from typing import Any

from jobs.caller import Caller

ANONYMOUS = Caller("anonymous")
"""The caller of the public paths."""


def caller_of(event: Mapping[str, Any]) -> Caller:
    """The Cognito user, IAM principal or API key of a proxy event.

    The name of an assumed role's session is left out: a client chooses it, and all sessions of the role are
    one caller.
    """
    context = event.get("requestContext") or {}
    claims = (context.get("authorizer") or {}).get("claims") or {}
    identity = context.get("identity") or {}
    if subject := claims.get("sub"):
        return Caller(f"user:{subject}")
    if arn := identity.get("userArn"):
        return Caller(f"iam:{_without_session(arn)}")
    if key := identity.get("apiKeyId"):
        return Caller(f"key:{key}")
    return ANONYMOUS


def _without_session(arn: str) -> str:
    """`arn:aws:sts::1:assumed-role/role` for `arn:aws:sts::1:assumed-role/role/session`."""
    is_session = ":assumed-role/" in arn
    return arn.rpartition("/")[0] if is_session else arn
