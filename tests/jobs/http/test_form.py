"""Forms with files."""

import base64

import httpx
import pytest

from contract.problem import ErrorCode
from jobs.http.form import MAX_PARTS, MAX_TEXT_BYTES, Form, FormFile, MalformedFormError, parse_form
from jobs.http.request import Request

FILE = b"\x89PNG\r\n\x1a\n\x00\xff\xfe--b\r\n"
TYPE = "multipart/form-data; boundary=b"


def request(body: bytes, content_type: str | None = TYPE) -> Request:
    """The request of an event as API Gateway makes it for a binary media type."""
    return Request.of(
        {
            "requestContext": {"requestId": "api-1"},
            "httpMethod": "POST",
            "path": "/",
            "headers": {} if content_type is None else {"Content-Type": content_type},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
    )


def part(headers: str, content: bytes = b"x") -> bytes:
    return b"--b\r\nContent-Disposition: form-data; " + headers.encode() + b"\r\n\r\n" + content + b"\r\n"


def refusal(body: bytes, content_type: str | None = TYPE) -> str:
    """The error's text."""
    with pytest.raises(MalformedFormError) as caught:
        parse_form(request(body, content_type))
    assert caught.value.code is ErrorCode.MALFORMED_REQUEST
    assert len(caught.value.detail) < 400
    return caught.value.detail


def test_texts_and_files_arrive_unchanged() -> None:
    files = {"image[]": ("käse.png", FILE, "image/png")}
    sent = httpx.Request("POST", "http://api/", data={"prompt": "ein Käse", "n": "2"}, files=files)
    parsed = parse_form(request(sent.read(), sent.headers["content-type"]))
    assert parsed == Form(
        texts=(("prompt", "ein Käse"), ("n", "2")),
        files=(FormFile(name="image[]", filename="käse.png", media_type="image/png", data=FILE),),
    )


def test_a_name_may_be_repeated() -> None:
    body = part('name="a"', b"1") + part('name="a"', b"2") + b"--b--\r\n"
    assert parse_form(request(body)).texts == (("a", "1"), ("a", "2"))


def test_a_form_that_api_gateway_has_passed_on_as_text_is_parsed() -> None:
    event = {
        "requestContext": {"requestId": "api-1"},
        "httpMethod": "POST",
        "path": "/",
        "headers": {"content-type": TYPE},
        "body": (part('name="a"') + b"--b--\r\n").decode(),
    }
    assert parse_form(Request.of(event)).texts == (("a", "x"),)


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        (None, "not declared"),
        ("application/json", "not declared"),
        ("multipart/form-data", "no boundary"),
        ("multipart/form-data; boundary=", "no boundary"),
        ("multipart/form-data; boundary=" + "b" * 2000, "RFC 7578"),
        ("multipart/form-data; boundary=other", "RFC 7578"),
    ],
)
def test_a_body_of_another_type_or_boundary_is_refused(content_type: str | None, reason: str) -> None:
    assert reason in refusal(part('name="a"') + b"--b--\r\n", content_type)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "RFC 7578"),
        (b"\xff" * 5000, "RFC 7578"),
        (part('name="a"'), "RFC 7578"),
        (part('name="a"') + b"--b", "RFC 7578"),
        (b"--b\r\n\r\nx\r\n--b--\r\n", "RFC 7578"),
        (part('name=""') + b"--b--\r\n", "name"),
        (part(f'name="{"a" * 101}"') + b"--b--\r\n", "name"),
        (part(f'name="a"; filename="{"a" * 5000}"') + b"--b--\r\n", "long headers"),
        (part('name="a"') * (MAX_PARTS + 1) + b"--b--\r\n", f"more than {MAX_PARTS} parts"),
        (part('name="a"', b"x" * (MAX_TEXT_BYTES + 1)) + b"--b--\r\n", "bytes in 'a'"),
        (part('name="a"', b"\xff") + b"--b--\r\n", "UTF-8"),
        (part('name="a"\r\nContent-Type: text/plain; charset=utf-16') + b"--b--\r\n", "UTF-8"),
    ],
    ids=lambda value: repr(value[:30]),
)
def test_a_malformed_form_is_refused(body: bytes, reason: str) -> None:
    assert reason in refusal(body)


def test_many_parts_are_accepted_up_to_the_limit() -> None:
    assert len(parse_form(request(part('name="a"') * MAX_PARTS + b"--b--\r\n")).texts) == MAX_PARTS
