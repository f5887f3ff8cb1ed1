"""Operations of the API: their routes, their functions, and what the OpenAPI document says about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from contract.identifiers import JobId
from jobs.http.request import Request
from jobs.http.responses import JSON, Response


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A successful response of an operation.

    Attributes:
        content: the model of a JSON body; `object` for any JSON object; None without a body.
        media_type: of the body.
        headers: the names of the response's headers; `openapi` describes them.
    """

    status: HTTPStatus
    description: str
    content: type | None = None
    media_type: str = JSON
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation. The docstring of its function is its description.

    Attributes:
        id: unique; clients that are generated from the OpenAPI document name their methods by it.
        path: with variable parts such as `{job_id}`.
        path_types: the type and the description of each variable part.
        problems: descriptions of the error responses, beyond those that every operation has.
        body: the model of the request's body; None if there is none.
        body_media_type: of the request's body.
        query: the model of the query parameters; None if there are none.
        headers: descriptions of the optional request headers.
        is_public: whether the operation needs no authentication.
    """

    id: str
    method: str
    path: str
    handle: Callable[[Request], Response]
    summary: str
    answers: tuple[Answer, ...]
    path_types: Mapping[str, Any] = field(default_factory=lambda: {"job_id": JobId})
    problems: Mapping[int, str] = field(default_factory=dict)
    body: type[BaseModel] | None = None
    body_media_type: str = JSON
    query: type[BaseModel] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_public: bool = False
