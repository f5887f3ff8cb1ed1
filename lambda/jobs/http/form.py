"""Forms with files: bodies of the media type multipart/form-data."""

from dataclasses import dataclass

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from contract.generation import InvalidRequestError
from contract.problem import ErrorCode, FieldError
from jobs.http.request import Request

FORM = "multipart/form-data"
MAX_PARTS = 64
MAX_NAME_CHARACTERS = 100
MAX_TEXT_BYTES = 64 * 1024
_MAX_HEADER_BYTES = 2048
_CHARSETS = (None, "utf-8", "utf8", "us-ascii")


class MalformedFormError(InvalidRequestError):
    """The body is not a form, or exceeds the limits of one."""

    code = ErrorCode.MALFORMED_REQUEST

    def __init__(self, reason: str) -> None:
        """Completes the sentence `The body ...` with the reason."""
        super().__init__((FieldError(pointer="#", detail=reason),))
        self.detail = f"The body {reason}. Send a form with the media type {FORM}."


@dataclass(frozen=True, kw_only=True)
class FormFile:
    """A file of a form.

    Attributes:
        media_type: as the client has declared it; None if it has not.
    """

    name: str
    filename: str
    media_type: str | None
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Form:
    """The parts of a form, in their order.

    Attributes:
        texts: the names and values of the fields that are no files.
    """

    texts: tuple[tuple[str, str], ...]
    files: tuple[FormFile, ...]


def is_form(request: Request) -> bool:
    """Whether the header Content-Type declares a form with files."""
    media_type: str = parse_options_header(request.headers.get("content-type", ""))[0]
    return media_type.lower() == FORM


def parse_form(request: Request) -> Form:
    """Parses the body. Its size is limited by API Gateway.

    Raises:
        MalformedFormError: the body is not a form, or has more than `MAX_PARTS` parts, a name of more than
            `MAX_NAME_CHARACTERS`, or a text of more than `MAX_TEXT_BYTES` or not in UTF-8.
    """
    if not is_form(request):
        raise MalformedFormError(f"is not declared as {FORM} by the header Content-Type")
    boundary = parse_options_header(request.headers["content-type"])[1].get("boundary")
    if not boundary:
        raise MalformedFormError("has no boundary in the header Content-Type")
    texts: list[tuple[str, str]] = []
    files: list[FormFile] = []
    try:
        for segment, data in _segments(request.raw_body, boundary):
            name = _name(segment)
            if segment.filename is None:
                texts.append((name, _text(segment, data)))
            else:
                files.append(
                    FormFile(name=name, filename=segment.filename, media_type=segment.content_type, data=data)
                )
    except ParserLimitReached as error:
        raise MalformedFormError(f"has more than {MAX_PARTS} parts, or a part with long headers") from error
    except MultipartError as error:
        raise MalformedFormError("is not a valid form: its parts do not follow RFC 7578") from error
    return Form(texts=tuple(texts), files=tuple(files))


def _segments(body: bytes, boundary: str) -> list[tuple[MultipartSegment, bytes]]:
    """The parts with their contents."""
    found: list[tuple[MultipartSegment, list[bytes]]] = []
    with PushMultipartParser(
        boundary, max_header_size=_MAX_HEADER_BYTES, max_segment_count=MAX_PARTS, strict=True
    ) as parser:
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                found.append((event, []))
            elif event is not None:
                found[-1][1].append(bytes(event))
    return [(segment, b"".join(chunks)) for segment, chunks in found]


def _name(segment: MultipartSegment) -> str:
    name: str = segment.name or ""
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS:
        raise MalformedFormError(f"has a part whose name has not 1 to {MAX_NAME_CHARACTERS} characters")
    return name


def _text(segment: MultipartSegment, data: bytes) -> str:
    if len(data) > MAX_TEXT_BYTES:
        raise MalformedFormError(f"has a text of more than {MAX_TEXT_BYTES} bytes in {segment.name!r}")
    if (segment.charset or "utf-8").lower() not in _CHARSETS:
        raise MalformedFormError(f"has a text in {segment.name!r} that is not encoded in UTF-8")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MalformedFormError(f"has a text in {segment.name!r} that is not encoded in UTF-8") from error
