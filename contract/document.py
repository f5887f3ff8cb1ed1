"""Parsing of JSON documents from clients, with limits that hold before any field is validated."""

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from contract.generation import InvalidRequestError
from contract.problem import MAX_ECHOED_CHARACTERS, ErrorCode, FieldError

MAX_VALUES = 1000
"""Values in a document, at all levels together. A request that uses every field has about 150."""

MAX_DEPTH = 8
"""Levels of objects and lists. A request has three."""

_MAX_TOKENS = 4 * MAX_VALUES + 10
"""Two strings for each value, and a bracket or comma before and after it."""

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_EXAMPLE = '{"prompt": "a red circle"}'
_OPENING, _CLOSING = {"[", "{"}, {"]", "}"}
_STRING_OR_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|([][{},])', re.DOTALL)
"""A string, whose closing quote may be missing; or a bracket or comma that is not in a string."""


class MalformedRequestError(InvalidRequestError):
    """The body is not a JSON object, or exceeds the limits of a document."""

    code = ErrorCode.MALFORMED_REQUEST

    def __init__(self, reason: str) -> None:
        """Completes the sentence `The body ...` with the reason."""
        super().__init__((FieldError(pointer="#", detail=reason),))
        self.detail = f"The body {reason}. Send a JSON object such as {_EXAMPLE}."


def parse_document(body: bytes | str) -> dict[str, Any]:
    """Parses a JSON object (RFC 8259), in time proportional to the body's length and in little memory.

    Args:
        body: text is what API Gateway has decoded, which replaces bytes that are not UTF-8 by U+FFFD.

    Raises:
        MalformedRequestError: the body is not the UTF-8 text of a JSON object, has more than `MAX_VALUES`
            values or `MAX_DEPTH` levels, a name twice in an object, NaN or Infinity, an integer of more than
            4300 digits, or a string that is not valid Unicode.
    """
    text = _text(body)
    _check_size(text)
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise MalformedRequestError(f"is not valid JSON: {error}") from error
    except ValueError as error:
        raise MalformedRequestError("contains a number with too many digits") from error
    if not isinstance(document, dict):
        raise MalformedRequestError("is not a JSON object")
    if "\\u" in text:  # escaped surrogates may lack their partner
        _check_unicode(json.dumps(document, ensure_ascii=False))
    return document


def _text(body: bytes | str) -> str:
    if isinstance(body, str):
        if _REPLACEMENT in body:
            raise MalformedRequestError(
                "is not encoded in UTF-8, or contains U+FFFD, which replaces bytes that are not; write the "
                "character as \\ufffd if it is meant"
            )
        _check_unicode(body)
        return body
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise MalformedRequestError("is not valid JSON: it is not encoded in UTF-8") from error


def _check_unicode(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise MalformedRequestError("contains text that is not valid Unicode") from error


def _check_size(text: str) -> None:
    """Counts the document's values and levels without building any of them."""
    values = depth = 0
    for tokens, match in enumerate(_STRING_OR_MARK.finditer(text), 1):
        mark = match[1]
        depth += (mark in _OPENING) - (mark in _CLOSING)
        values += mark in _OPENING or mark == ","
        if depth > MAX_DEPTH:
            raise MalformedRequestError(f"is nested more than {MAX_DEPTH} levels deep")
        if values > MAX_VALUES or tokens > _MAX_TOKENS:
            raise MalformedRequestError(f"contains more than {MAX_VALUES} values")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)[:MAX_ECHOED_CHARACTERS]
        raise MalformedRequestError(f"contains the name {repeated!r} twice in an object")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedRequestError(f"is not valid JSON: {name} is not a number in JSON")
