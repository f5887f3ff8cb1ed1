"""The OpenAPI document of the operations. It is made when the project is built and served as a file."""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from contract.problem import CONTENT_TYPE, Problem
from jobs.http.operation import Answer, Operation
from jobs.http.routes import OPERATIONS, SHAPES
from jobs.http.shape import NATIVE, Shape, shape_of

_VARIABLE_PART = re.compile(r"\{(\w+)\}")
_REFERENCE = "#/components/schemas/{model}"
_TEXT = {"type": "string"}
_SECONDS = {"type": "integer", "minimum": 1}
_RESPONSE_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "Allow": ("The methods of the path.", _TEXT),
    "Content-Security-Policy": ("Forbids the page to load anything from other hosts.", _TEXT),
    "ETag": ("Identifies this state of the job, for `If-None-Match`.", _TEXT),
    "Location": ("The job's address, relative to the request's.", _TEXT),
    "X-Should-Retry": ("`true` if the same request may succeed later, else `false`.", _TEXT),
    "Retry-After": ("Seconds to wait before the next request.", _SECONDS),
}
_COMMON_PROBLEMS = {
    400: "The path or a header is malformed.",
    405: "The path does not have this method; the header `Allow` lists its methods.",
    429: "There are too many requests; wait and try again.",
    500: "The service failed; try again.",
    503: "The service is unavailable; try again.",
}
_PROBLEM_HEADERS = {405: ("Allow",), 409: ("Retry-After",), 429: ("Retry-After",), 503: ("Retry-After",)}
_SECURITY_SCHEMES = {
    "apiKey": {"type": "apiKey", "name": "x-api-key", "in": "header"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "The API key as the token."},
    "basic": {"type": "http", "scheme": "basic", "description": "The API key as the password."},
}
_NO_ACCESS = {403: "The API key is missing or wrong."}


def openapi_document() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Stable Diffusion Quick Kit",
            "description": (
                "Submit a prompt, receive the S3 URIs of its images immediately, and follow the job until "
                "the images exist."
            ),
            "version": "1.0.0",
        },
        "servers": [{"url": "..", "description": "The stage that serves /v1/openapi.json."}],
        "security": [{name: []} for name in _SECURITY_SCHEMES],
        "tags": [{"name": shape.name, "description": shape.description} for shape in (NATIVE, *SHAPES)],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    shape = shape_of(operation.path, SHAPES)
    document: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [shape.name],
        "summary": operation.summary,
        "description": _description(operation),
        "parameters": list(_parameters(operation)),
        "responses": {
            **{str(answer.status.value): _answer(answer) for answer in operation.answers},
            **{
                str(status): _problem(status, text, shape)
                for status, text in sorted(_problems(operation).items())
            },
        },
    }
    if operation.body is not None:
        document["requestBody"] = {
            "required": True,
            "content": _content(operation.body_media_type, operation.body),
        }
    if operation.is_public:
        document["security"] = []
    return document


def _description(operation: Operation) -> str:
    """The docstring of the operation's function, with paragraphs on one line each."""
    paragraphs = (operation.handle.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _problems(operation: Operation) -> dict[int, str]:
    access = {} if operation.is_public else _NO_ACCESS
    return {**access, **_COMMON_PROBLEMS, **operation.problems}


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in _VARIABLE_PART.findall(operation.path):
        schema = TypeAdapter(operation.path_types[name]).json_schema()
        description = schema.pop("description")
        yield {"name": name, "in": "path", "required": True, "description": description, "schema": schema}
    if operation.query is not None:
        properties = operation.query.model_json_schema(ref_template=_REFERENCE)["properties"]
        for name, schema in properties.items():
            yield {
                "name": name,
                "in": "query",
                "required": False,
                "description": schema["description"],
                "schema": _query_schema(schema),
            }
    for name, description in operation.headers.items():
        yield {"name": name, "in": "header", "required": False, "description": description, "schema": _TEXT}


def _query_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a query parameter, which cannot be null."""
    (values,) = (each for each in schema.get("anyOf", [schema]) if each.get("type") != "null")
    return {name: value for name, value in values.items() if name not in ("title", "description")}


def _answer(answer: Answer) -> dict[str, Any]:
    document: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        document["headers"] = _headers(answer.headers)
    if answer.content is not None:
        document["content"] = _content(answer.media_type, answer.content)
    return document


def _problem(status: int, description: str, shape: Shape) -> dict[str, Any]:
    """The response for an error. API Gateway's own errors are problem documents in every shape."""
    content = _content(CONTENT_TYPE, Problem) | _content(shape.problem_media_type, shape.problem_model)
    document: dict[str, Any] = {"description": description, "content": content}
    if headers := (*_PROBLEM_HEADERS.get(status, ()), *shape.problem_headers):
        document["headers"] = _headers(headers)
    return document


def _headers(names: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: {"description": description, "schema": schema}
        for name in names
        for description, schema in (_RESPONSE_HEADERS[name],)
    }


def _content(media_type: str, content: type) -> dict[str, Any]:
    if issubclass(content, BaseModel):
        return {media_type: {"schema": {"$ref": _REFERENCE.format(model=content.__name__)}}}
    return {media_type: {"schema": {"type": "object" if content is dict else "string"}}}


def _schemas() -> dict[str, Any]:
    """The schemas of all bodies and query parameters, and of what they refer to."""
    used = [content for each in OPERATIONS for content in (each.body, *(a.content for a in each.answers))]
    used += (shape.problem_model for shape in (NATIVE, *SHAPES))
    models = {model for model in used if isinstance(model, type) and issubclass(model, BaseModel)}
    _, document = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template=_REFERENCE,
    )
    return dict(sorted(document["$defs"].items()))
