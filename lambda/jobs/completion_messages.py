"""The messages of the completion queue: from SageMaker, and from S3 about start markers."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from contract.identifiers import InvocationId
from contract.keys import STARTS_PREFIX


class InvocationStatus(StrEnum):
    """The final status of an asynchronous invocation."""

    COMPLETED = "Completed"
    FAILED = "Failed"


def _parse_invocation(text: object) -> object:
    return InvocationId.parse(text) if isinstance(text, str) else text


_Invocation = Annotated[InvocationId, BeforeValidator(_parse_invocation)]


class _MessagePart(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, validate_by_name=True)


class ResponseParameters(_MessagePart):
    """The `s3://` URIs of the container's response."""

    output_location: str | None = None
    failure_location: str | None = None


class CompletionMessage(_MessagePart):
    """The message that SageMaker publishes when an asynchronous invocation has ended.

    Contains only the fields that are used here; see "Check prediction results" in SageMaker's asynchronous
    inference guide.
    """

    invocation_status: InvocationStatus
    event_time: datetime
    invocation: _Invocation = Field(alias="inferenceId")
    failure_reason: str | None = None
    response_parameters: ResponseParameters = Field(default_factory=ResponseParameters)


class _Object(BaseModel):
    key: str


class _ObjectDetail(BaseModel):
    object: _Object


class StartMessage(BaseModel):
    """EventBridge's event about the start marker of an invocation, "Object Created" of Amazon S3."""

    model_config = ConfigDict(frozen=True)

    source: Literal["aws.s3"]
    time: datetime
    detail: _ObjectDetail

    @property
    def invocation(self) -> InvocationId:
        """The invocation that has started.

        Raises:
            ValueError: the object is not a start marker.
        """
        return InvocationId.parse(self.detail.object.key.removeprefix(STARTS_PREFIX))


_MESSAGES: TypeAdapter[CompletionMessage | StartMessage] = TypeAdapter(CompletionMessage | StartMessage)


def parse_message(body: str) -> CompletionMessage | StartMessage:
    """Parses the body of a message.

    Raises:
        ValidationError: the body is neither kind of message.
    """
    return _MESSAGES.validate_json(body)
