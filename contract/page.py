"""The web page's headers and configuration, for the stack that deploys it and for the local server."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

INDEX = "index.html"
CONFIG = "config.json"
ASSETS_PREFIX = "assets/"
"""Files below it have a hash of their content in their name."""

NO_CACHE = "no-cache"
"""A browser asks whether its copy is still current each time."""

IMMUTABLE = "public, max-age=31536000, immutable"

HSTS_SECONDS = 365 * 24 * 3600
OTHER_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""The headers that CloudFront has no setting of its own for."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ApiKeySignIn(_Frozen):
    """An API key. Without `key` the visitor enters one; only the local stack has it here."""

    type: Literal["api_key"] = "api_key"
    key: str | None = None


class CognitoSignIn(_Frozen):
    """Cognito's sign-in page, with an authorization code and PKCE.

    Attributes:
        domain: the address of the sign-in page, such as `https://name.auth.eu-central-1.amazoncognito.com`.
        client_id: the user pool's client for the page.
        scopes: what the page asks for.
        token: the one that the API accepts.
    """

    type: Literal["cognito"] = "cognito"
    domain: str
    client_id: str
    scopes: tuple[str, ...]
    token: Literal["id", "access"]


class PageConfig(_Frozen):
    """The content of config.json, which tells the page how its visitors sign in."""

    auth: Annotated[ApiKeySignIn | CognitoSignIn, Field(discriminator="type")]


def cache_control(path: str) -> str:
    """The header `Cache-Control` of the page's file at `path`, such as `assets/main-4F2A.js`."""
    return IMMUTABLE if path.startswith(ASSETS_PREFIX) else NO_CACHE


def content_security_policy(storage_origins: Iterable[str], sign_in_origin: str | None) -> str:
    """The header `Content-Security-Policy` of the page's files.

    Args:
        storage_origins: the origins of S3's links and upload forms.
        sign_in_origin: the origin of Cognito's sign-in page; None if the page does not use it.

    Raises:
        ValueError: an origin contains a character that ends a directive or one of its values.
    """
    storage = list(storage_origins)
    sign_in = [] if sign_in_origin is None else [sign_in_origin]
    for origin in (*storage, *sign_in):
        if not origin or any(character.isspace() or character in ";," for character in origin):
            raise ValueError(
                f"{origin!r} is not an origin, such as https://bucket.s3.eu-central-1.amazonaws.com"
            )
    directives = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "connect-src": ["'self'", *storage, *sign_in],
        "img-src": ["'self'", "blob:", *storage],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    return "; ".join(f"{name} {' '.join(values)}" for name, values in directives.items())


def page_headers(
    storage_origins: Iterable[str], sign_in_origin: str | None, *, https: bool
) -> dict[str, str]:
    """The headers of each of the page's files, apart from `Cache-Control`.

    Args:
        storage_origins: see `content_security_policy`.
        sign_in_origin: see `content_security_policy`.
        https: whether the page is served by HTTPS, which browsers then insist on for a year.

    Raises:
        ValueError: see `content_security_policy`.
    """
    return {
        "Content-Security-Policy": content_security_policy(storage_origins, sign_in_origin),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        **({"Strict-Transport-Security": f"max-age={HSTS_SECONDS}"} if https else {}),
        **OTHER_HEADERS,
    }
