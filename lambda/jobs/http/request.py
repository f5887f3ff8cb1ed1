"""Requests, from API Gateway's proxy events."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.generation import InvalidRequestError
from contract.problem import MAX_ECHOED_CHARACTERS, FieldError
from jobs.caller import Caller
from jobs.http.caller import caller_of

_UNSAFE_IN_PATH = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request.

    Attributes:
        id: API Gateway's id of the request.
        method: GET for HEAD.
        path: with control characters and spaces percent-encoded, so that they match no id.
        headers: by names in lower case.
        query: the values of each query parameter.
        body: None if there is none. Bytes that are not UTF-8 are lone surrogates; `parse_document` refuses
            them.
        path_parameters: the variable parts of the path.
        base_url: the address of the API that the client has called, without a slash at its end.
    """

    id: str
    method: str
    path: str
    caller: Caller
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, list[str]] = field(default_factory=dict)
    body: str | None = None
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Request":
        """Parses a proxy event."""
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        return cls(
            id=str(event["requestContext"]["requestId"]),
            method="GET" if event["httpMethod"] == "HEAD" else event["httpMethod"],
            path=_UNSAFE_IN_PATH.sub(lambda match: f"%{ord(match[0]):02X}", event["path"]),
            caller=caller_of(event),
            headers=headers,
            query=event.get("multiValueQueryStringParameters") or {},
            body=_body(event),
            base_url=_base_url(event, headers),
        )

    @property
    def raw_body(self) -> bytes:
        """The bytes of the body. API Gateway passes the bytes of forms on as they are, and others as text."""
        return (self.body or "").encode(errors="surrogateescape")

    def single_query_values(self) -> dict[str, str]:
        """The query parameters.

        Raises:
            InvalidRequestError: a parameter has more than one value.
        """
        repeated = [name for name, values in self.query.items() if len(values) > 1]
        if repeated:
            raise InvalidRequestError(
                tuple(
                    FieldError(pointer=f"#/{name[:MAX_ECHOED_CHARACTERS]}", detail="must be given once")
                    for name in repeated
                )
            )
        return {name: "".join(values) for name, values in self.query.items()}


def _body(event: Mapping[str, Any]) -> str | None:
    body: str | None = event.get("body")
    if body is None or not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body).decode(errors="surrogateescape")
    except binascii.Error:
        return ""


def _base_url(event: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """The API's address, whose path is the stage's name, or empty with a domain name of its own."""
    context = event["requestContext"]
    scheme = "http" if headers.get("x-forwarded-proto") == "http" else "https"
    return f"{scheme}://{context.get('domainName', '')}{context.get('path', '').removesuffix(event['path'])}"
