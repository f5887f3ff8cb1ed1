"""The parameters of InvokeEndpointAsync, checked against the constraints of botocore's service model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import botocore.session

DEFAULT_TTL_S = 21_600
DEFAULT_TIMEOUT_S = 900
_JAVA_CLASSES = {r"[\p{Print}]": "[ -~]", r"\p{ASCII}": r"[\x00-\x7f]", r"\z": r"\Z"}
"""Parts of the model's patterns that Python spells in another way."""


class InvalidParameterError(ValueError):
    """A parameter is missing or violates a constraint."""


@dataclass(frozen=True, kw_only=True)
class InvocationParameters:
    """The parameters of a request. Exactly one of `body` and `input_location` is given.

    Attributes:
        ttl_s: the longest time in the queue.
        timeout_s: the longest time in the container.
        extension: inserted between the output path and the file name.
    """

    inference_id: str | None
    content_type: str
    body: bytes | None
    input_location: str | None
    file_name: str | None
    extension: str | None
    ttl_s: float
    timeout_s: float

    @classmethod
    def parse(cls, headers: Mapping[str, str], body: bytes) -> Self:
        """Reads the parameters from the headers, whose names are in lower case, and the body.

        Raises:
            InvalidParameterError: a parameter is missing or violates a constraint.
        """
        values = {
            name: _checked(name, shape, headers[shape.serialization["name"].lower()])
            for name, shape in _parameters().items()
            if shape.serialization.get("location") == "header"
            and shape.serialization["name"].lower() in headers
        }
        _check_range("Body", _parameters()["Body"], len(body))
        if bool(body) == ("InputLocation" in values):
            raise InvalidParameterError("exactly one of Body and InputLocation must be given")
        return cls(
            inference_id=values.get("InferenceId"),
            content_type=values.get("ContentType", "application/json"),
            body=body or None,
            input_location=values.get("InputLocation"),
            file_name=values.get("Filename"),
            extension=values.get("S3OutputPathExtension"),
            ttl_s=float(values.get("RequestTTLSeconds", DEFAULT_TTL_S)),
            timeout_s=float(values.get("InvocationTimeoutSeconds", DEFAULT_TIMEOUT_S)),
        )


@cache
def _parameters() -> Mapping[str, Any]:
    """The shapes of the operation's parameters."""
    service = botocore.session.get_session().get_service_model("sagemaker-runtime")
    shape: Any = service.operation_model("InvokeEndpointAsync").input_shape
    members: Mapping[str, Any] = shape.members
    return members


def _checked(name: str, shape: Any, value: str) -> str:
    if shape.type_name == "integer":
        if not value.isdecimal():
            raise InvalidParameterError(f"{name} must be an integer")
        _check_range(name, shape, int(value))
        return value
    _check_range(name, shape, len(value))
    pattern = shape.metadata["pattern"]
    if re.match(_as_python(pattern), value) is None:
        raise InvalidParameterError(f"{name} must match the pattern {pattern}")
    return value


def _check_range(name: str, shape: Any, number: int) -> None:
    """Checks the value of an integer, or the length of a text or of bytes."""
    least, most = shape.metadata.get("min", 0), shape.metadata["max"]
    if not least <= number <= most:
        subject = name if shape.type_name == "integer" else f"the length of {name}"
        raise InvalidParameterError(f"{subject} must be between {least} and {most}, not {number}")


def _as_python(pattern: str) -> str:
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return pattern
