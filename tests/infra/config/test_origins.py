"""The origins of web pages that may call the API."""

import pytest
from pydantic import TypeAdapter, ValidationError

from infra.config import ApiConfig
from infra.config.origins import Origin

ORIGINS: TypeAdapter[str] = TypeAdapter(Origin)


@pytest.mark.parametrize(
    "origin",
    [
        "https://images.example.com",
        "https://images.example.com:8443",
        "https://intranet",
        "https://xn--bcher-kva.example",
        "https://192.0.2.1",
        "http://localhost",
        "http://localhost:5173",
        "http://127.0.0.1:65535",
        "https://localhost:5173",
    ],
)
def test_an_origin_is_scheme_host_and_port(origin: str) -> None:
    assert ORIGINS.validate_python(origin) == origin


@pytest.mark.parametrize(
    ("origin", "reason"),
    [
        ("*", "must begin with https://"),
        ("null", "must begin with https://"),
        ("images.example.com", "must begin with https://"),
        ("HTTPS://images.example.com", "must begin with https://"),
        ("ftp://images.example.com", "must begin with https://"),
        ("https://images.example.com/", "must have no path"),
        ("https://images.example.com/page", "must have no path"),
        ("https://", "must have a host name"),
        ("https://*.example.com", "must have a host name"),
        ("https://Images.example.com", "must have a host name"),
        ("https://b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example", "must have a host name"),
        ("https://user@images.example.com", "must have a host name"),
        ("https://images.example.com ", "must have a host name"),
        ("https://images.example.com\n", "must have a host name"),
        ("https://a'b", "must have a host name"),
        ("http://images.example.com", "must begin with https:// unless its host is localhost or 127.0.0.1"),
        ("https://images.example.com:", "must have a port"),
        ("https://images.example.com:0", "must have a port"),
        ("https://images.example.com:65536", "must have a port"),
        ("https://images.example.com:8443:1", "must have a port"),
        ("https://images.example.com:443", "must not name port 443"),
        ("http://localhost:80", "must not name port 80"),
        (f"https://{'a.' * 130}", "at most 267 characters"),
    ],
)
def test_a_text_that_no_browser_sends_is_refused_with_the_reason(origin: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        ORIGINS.validate_python(origin)


def test_no_origin_is_allowed_by_default() -> None:
    assert ApiConfig().allowed_origins == ()


def test_an_origin_is_named_once() -> None:
    with pytest.raises(ValidationError, match="origins must be unique"):
        ApiConfig.model_validate({"allowed_origins": ["https://a", "https://a"]})


def test_the_number_of_origins_is_limited() -> None:
    with pytest.raises(ValidationError, match="at most 10"):
        ApiConfig.model_validate({"allowed_origins": [f"https://a{number}" for number in range(11)]})
