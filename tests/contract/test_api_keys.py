"""API keys in the headers of requests."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.api_keys import api_key_of

KEY = "a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6g7H8i9J0"


def basic(credentials: str | bytes, scheme: str = "Basic") -> dict[str, str]:
    data = credentials.encode() if isinstance(credentials, str) else credentials
    return {"authorization": f"{scheme} {base64.b64encode(data).decode()}"}


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": KEY},
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {KEY} "},
        basic(f"user:{KEY}"),
        basic(f":{KEY}", "BASIC"),
        basic(f"{KEY}:"),
        basic(KEY),
        {"x-api-key": KEY, "authorization": "Bearer other"},
        {"x-api-key": "", "authorization": f"Bearer {KEY}"},
    ],
)
def test_a_key_is_found_in_each_header(headers: dict[str, str]) -> None:
    assert api_key_of(headers) == KEY


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"x-api-key": "k" * 129},
        {"x-api-key": "a key"},
        {"x-api-key": "schlüssel"},
        {"x-api-key": f"{KEY}\n"},
        {"authorization": KEY},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": f"Bearer {KEY} {KEY}"},
        {"authorization": f"Token {KEY}"},
        {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/execute-api/aws4_request"},
        {"authorization": "Basic"},
        {"authorization": "Basic %%%"},
        {"authorization": "Basic YQ"},
        basic(":"),
        basic(b"\xff:\xff"),
        basic("user:" + "k" * 129),
        basic("u" * 2000 + f":{KEY}"),
    ],
)
def test_other_headers_contain_no_key(headers: dict[str, str]) -> None:
    assert api_key_of(headers) is None


@given(st.text(), st.text())
def test_any_header_is_read(key: str, authorization: str) -> None:
    found = api_key_of({"x-api-key": key, "authorization": authorization})
    assert found is None or (1 <= len(found) <= 128 and found.isascii())
