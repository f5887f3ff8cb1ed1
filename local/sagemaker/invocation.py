"""An accepted asynchronous invocation and its failure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self
from uuid import uuid4

from contract.identifiers import S3Location
from local.sagemaker.parameters import InvocationParameters


class InvocationFailedError(Exception):
    """The container did not process the invocation successfully.

    Attributes:
        body: the container's error response; None if there was none.
    """

    def __init__(self, reason: str, body: bytes | None = None) -> None:
        super().__init__(reason)
        self.body = body


class InvocationExpiredError(InvocationFailedError):
    """The invocation was in the queue for longer than its time to live."""

    def __init__(self) -> None:
        super().__init__("ClientError: the request expired before it was processed")


@dataclass(frozen=True, kw_only=True, eq=False)
class Invocation:
    """An accepted asynchronous invocation, with the locations of its result and its failure."""

    inference_id: str
    parameters: InvocationParameters
    output_location: S3Location
    failure_location: S3Location
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def accept(cls, parameters: InvocationParameters, output: Mapping[str, str]) -> Self:
        """Accepts an invocation.

        Args:
            parameters: of the request.
            output: the endpoint's `OutputConfig`.

        Raises:
            ValueError: a path is no S3 URI.
        """
        own = uuid4().hex
        extension = f"{parameters.extension.strip('/')}/" if parameters.extension else ""
        name = parameters.file_name or f"{own}.out"
        failed_name = f"{parameters.file_name or own}-error.out"
        return cls(
            inference_id=parameters.inference_id or own,
            parameters=parameters,
            output_location=S3Location.parse(f"{output['S3OutputPath']}{extension}{name}"),
            failure_location=S3Location.parse(f"{output['S3FailurePath']}{failed_name}"),
        )

    def remaining_ttl_s(self) -> float:
        """Seconds until the invocation expires in the queue."""
        waited = datetime.now(UTC) - self.received_at
        return self.parameters.ttl_s - waited.total_seconds()
