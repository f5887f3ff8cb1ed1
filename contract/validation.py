"""Parsing of requests, with error messages that name the field, the reason and the remedy."""

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from contract.document import parse_document
from contract.generation import InvalidRequestError
from contract.model import ModelDeclaration
from contract.options import ControlNet, Hires, Lora, Options, Outpaint, Upscale
from contract.problem import MAX_ECHOED_CHARACTERS, MAX_FIELD_ERRORS, FieldError, ProblemError
from contract.request import JobRequest
from contract.rules import violations

_Request = TypeVar("_Request", bound=JobRequest)

_Model = TypeVar("_Model", bound=BaseModel)

FindModel = Callable[[str | None], ModelDeclaration]
"""Returns the model of a name, or the default model for None; raises ProblemError if there is none."""

_OBJECT_FIELDS: dict[str, type[Options]] = {
    "controlnets": ControlNet,
    "hires": Hires,
    "loras": Lora,
    "outpaint": Outpaint,
    "upscale": Upscale,
}


def validate(kind: type[_Model], document: Mapping[str, Any]) -> _Model:
    """Validates a document that is no generation request.

    Raises:
        InvalidRequestError: fields are invalid; the error names them.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        findings = error.errors(include_url=False, include_input=False)
        shown = tuple(_field_error(each, kind) for each in findings[:MAX_FIELD_ERRORS])
        raise InvalidRequestError(shown, omitted=max(len(findings) - MAX_FIELD_ERRORS, 0)) from error


def parse_request(kind: type[_Request], body: bytes | str, find_model: FindModel) -> _Request:
    """Parses the JSON of a request.

    The limits of the model are only checked for a request with invalid fields, so that the error names all
    of them; see `Generation.resolve` for a valid one.

    Raises:
        MalformedRequestError: the body is not a JSON object within the limits of `parse_document`.
        InvalidRequestError: fields are invalid; the error names them.
    """
    document = parse_document(body)
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        findings = error.errors(include_url=False, include_input=False)
        raise _invalid_request(findings, document, find_model, kind=kind) from error


def _invalid_request(
    findings: Sequence[Mapping[str, Any]],
    document: dict[str, Any],
    find_model: FindModel,
    *,
    kind: type[JobRequest],
) -> InvalidRequestError:
    """The error for a malformed request: invalid fields, and valid fields that exceed the model's limits.

    Args:
        findings: pydantic's errors.
        document: the request as it was parsed.
        find_model: finds the model whose limits apply.
        kind: the type of the request.
    """
    shown = [_field_error(each, kind) for each in findings[:MAX_FIELD_ERRORS]]
    malformed = {str(each["loc"][0]) for each in findings if each["loc"]}
    shown += _violations_of_valid_fields(document, malformed, find_model, kind)
    return InvalidRequestError(tuple(shown), omitted=max(len(findings) - MAX_FIELD_ERRORS, 0))


def _violations_of_valid_fields(
    document: dict[str, Any], malformed: set[str], find_model: FindModel, kind: type[JobRequest]
) -> tuple[FieldError, ...]:
    if "model" in malformed:
        return ()  # the limits are unknown
    valid = {name: value for name, value in document.items() if name not in malformed}
    request = kind.model_validate({"prompt": "placeholder", **valid})
    try:
        model = find_model(request.model)
    except ProblemError as error:
        return error.errors
    return violations(request, model, malformed=malformed)


def _field_error(finding: Mapping[str, Any], kind: type[BaseModel]) -> FieldError:
    path = list(finding["loc"])
    match finding["type"]:
        case "missing":
            detail = "is required"
        case "extra_forbidden":
            detail = _unknown_field(str(path[-1]), _OBJECT_FIELDS[str(path[0])] if len(path) > 1 else kind)
        case "model_type" | "model_attributes_type" if path and str(path[0]) in _OBJECT_FIELDS:
            detail = f"must be an object such as {json.dumps(_OBJECT_FIELDS[str(path[0])].example)}"
        case "tuple_type" if path and str(path[0]) in _OBJECT_FIELDS:
            detail = f"must be a list of objects such as [{json.dumps(_OBJECT_FIELDS[str(path[0])].example)}]"
        case "tuple_type":
            detail = "must be a list"
        case _:
            detail = str(finding["msg"]).removeprefix("Value error, ").replace("Input should ", "must ")
    return FieldError(pointer="#" + "".join(f"/{_escape(part)}" for part in path), detail=detail)


def _unknown_field(name: str, known: type[BaseModel]) -> str:
    similar = difflib.get_close_matches(name[:MAX_ECHOED_CHARACTERS], known.model_fields, n=1)
    return "unknown field; " + (f"did you mean {similar[0]}?" if similar else "see GET /v1/openapi.json")


def _escape(part: str | int) -> str:
    """Escapes a part of a JSON pointer; the names of unknown fields are cut off if they are long."""
    return str(part)[:MAX_ECHOED_CHARACTERS].replace("~", "~0").replace("/", "~1")
