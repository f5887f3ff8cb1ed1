"""The bodies of POST /v1/jobs, a request and what concerns the job and not its images; and of PATCH."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contract.request import JobRequest

MAX_TAGS = 10
_MAX_TAG_CHARACTERS = 64
_MAX_URL_CHARACTERS = 2048
_FORM = "must look like https://host/path"


class WebhookEvent(StrEnum):
    """An event of a job that its webhook is called for."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


def _check_webhook_url(url: str) -> str:
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("must contain printable ASCII characters without spaces only; percent-encode others")
    try:
        parts, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        raise ValueError(_FORM) from None
    if parts.scheme.lower() != "https" or not parts.hostname:
        raise ValueError(_FORM)
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain a user name or a password")
    if port not in (None, 443):
        raise ValueError("must use port 443")
    return url


def _check_unique(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise ValueError("must not contain a value twice")
    return values


Tag = Annotated[
    str,
    Field(
        min_length=1,
        max_length=_MAX_TAG_CHARACTERS,
        pattern=r"^[\p{L}\p{N}_.:/=+@-]+$",
        description="Letters, digits and any of `_.:/=+@-`.",
    ),
]
Tags = Annotated[
    tuple[Tag, ...],
    Field(
        max_length=MAX_TAGS,
        strict=False,
        description="Tags of the job, to list it by.",
        json_schema_extra={"uniqueItems": True},
    ),
    AfterValidator(_check_unique),
]
WebhookUrl = Annotated[
    str,
    AfterValidator(_check_webhook_url),
    Field(
        max_length=_MAX_URL_CHARACTERS,
        description="Public https:// address that the events are posted to, signed (Standard Webhooks).",
        json_schema_extra={"pattern": "^[Hh][Tt][Tt][Pp][Ss]://.+"},
    ),
]
WebhookEvents = Annotated[
    tuple[Annotated[WebhookEvent, Field(strict=False)], ...],
    Field(
        min_length=1,
        max_length=len(WebhookEvent),
        strict=False,
        description="Events that the webhook is called for.",
        json_schema_extra={"uniqueItems": True},
    ),
    AfterValidator(_check_unique),
]
FINAL_EVENTS = (WebhookEvent.SUCCEEDED, WebhookEvent.FAILED, WebhookEvent.CANCELED, WebhookEvent.EXPIRED)


class JobSubmission(JobRequest):
    """A request, its tags and its webhook."""

    tags: Tags = ()
    webhook_url: WebhookUrl | None = None
    webhook_events: WebhookEvents = FINAL_EVENTS


class JobUpdate(BaseModel):
    """The attributes of a job that its caller may change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    tags: Tags
