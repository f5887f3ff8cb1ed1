"""The page's headers and configuration."""

import pytest

from contract.page import (
    ApiKeySignIn,
    CognitoSignIn,
    PageConfig,
    cache_control,
    content_security_policy,
    page_headers,
)

BUCKET = "https://data.s3.eu-central-1.amazonaws.com"
SIGN_IN = "https://example.auth.eu-central-1.amazoncognito.com"


def directives(policy: str) -> dict[str, list[str]]:
    return {name: values for name, *values in (part.split() for part in policy.split("; "))}


def test_the_policy_allows_nothing_but_the_page_itself_and_its_storage() -> None:
    assert directives(content_security_policy([BUCKET], None)) == {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "connect-src": ["'self'", BUCKET],
        "img-src": ["'self'", "blob:", BUCKET],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }


def test_the_policy_allows_requests_but_no_images_from_the_sign_in_page() -> None:
    policy = directives(content_security_policy(iter([BUCKET, "https://other.example"]), SIGN_IN))
    assert policy["connect-src"] == ["'self'", BUCKET, "https://other.example", SIGN_IN]
    assert policy["img-src"] == ["'self'", "blob:", BUCKET, "https://other.example"]


@pytest.mark.parametrize("origin", ["", "https://a.example;script-src", "https://a.example *", "https://a,b"])
def test_an_origin_cannot_add_to_the_policy(origin: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        content_security_policy([origin], None)
    with pytest.raises(ValueError, match="is not an origin"):
        content_security_policy([], origin)


def test_browsers_insist_on_https_only_where_the_page_is_served_by_it() -> None:
    secure, plain = (page_headers([BUCKET], None, https=https) for https in (True, False))
    assert secure["Strict-Transport-Security"] == "max-age=31536000"
    assert secure.keys() - plain.keys() == {"Strict-Transport-Security"}
    assert plain["Content-Security-Policy"] == content_security_policy([BUCKET], None)
    assert plain["Cross-Origin-Opener-Policy"] == "same-origin"


def test_only_files_with_a_hash_in_their_name_are_cached() -> None:
    assert cache_control("assets/main-4F2A.js") == "public, max-age=31536000, immutable"
    assert {cache_control(path) for path in ("index.html", "config.json", "icon.svg")} == {"no-cache"}


def test_the_configuration_says_how_visitors_sign_in() -> None:
    def written(auth: ApiKeySignIn | CognitoSignIn) -> str:
        return PageConfig(auth=auth).model_dump_json(exclude_none=True)

    assert written(ApiKeySignIn()) == '{"auth":{"type":"api_key"}}'
    assert written(ApiKeySignIn(key="local")) == '{"auth":{"type":"api_key","key":"local"}}'
    cognito = CognitoSignIn(domain=SIGN_IN, client_id="abc", scopes=("openid",), token="id")  # noqa: S106
    assert PageConfig.model_validate_json(written(cognito)).auth == cognito
