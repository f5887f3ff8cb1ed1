"""An asynchronous invocation, from its acceptance to its end."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from contract.identifiers import S3Location


class InvocationFailedError(Exception):
    """The container did not answer with success."""

    def __init__(self, reason: str, body: bytes | None = None) -> None:
        super().__init__(reason)
        self.body = body


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """An accepted asynchronous invocation.

    Attributes:
        ttl_s: how long it may wait for its turn.
        timeout_s: how long the container may take.
    """

    inference_id: str
    input_location: S3Location
    output_location: S3Location
    failure_location: S3Location
    content_type: str
    ttl_s: float
    timeout_s: float
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))
