"""An accepted asynchronous invocation and its failure."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from contract.identifiers import S3Location


class InvocationFailedError(Exception):
    """The container did not process the invocation successfully.

    Attributes:
        body: the container's error response; None if there was none.
    """

    def __init__(self, reason: str, body: bytes | None = None) -> None:
        super().__init__(reason)
        self.body = body


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """An accepted asynchronous invocation.

    Attributes:
        ttl_s: the longest time in the queue.
        timeout_s: the longest time in the container.
    """

    inference_id: str
    input_location: S3Location
    output_location: S3Location
    failure_location: S3Location
    content_type: str
    ttl_s: float
    timeout_s: float
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))
