"""Requests for images, and the submissions that they are translated to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract.document import parse_document
from contract.submission import JobSubmission
from contract.validation import validate
from jobs.catalog import ModelCatalog
from jobs.compatibility.automatic1111.fields import SETTINGS, without_nulls
from jobs.compatibility.automatic1111.image_to_image import ImageToImageRequest
from jobs.compatibility.automatic1111.settings import Settings
from jobs.compatibility.automatic1111.text_to_image import TextToImageRequest
from jobs.compatibility.field_names import fields_named

TAG = "automatic1111"
"""The tag of the jobs of this API."""


@dataclass(frozen=True, kw_only=True)
class RequestedImages:
    """A valid request.

    Attributes:
        submission: the job to submit.
        names: the client's names of its fields, for `fields_named`.
        parameters: the request, as the answer repeats it.
        sends_images: whether the answer contains the images.
        kept: the caller's settings from now on; None if they remain.
    """

    submission: JobSubmission
    names: Mapping[str, str]
    parameters: dict[str, Any]
    sends_images: bool
    kept: Settings | None


def parse_images_request(
    kind: type[TextToImageRequest] | type[ImageToImageRequest],
    body: str,
    options: Settings,
    catalog: ModelCatalog,
) -> RequestedImages:
    """Parses a request.

    Args:
        kind: of the request.
        body: its JSON.
        options: the caller's settings.
        catalog: the models.

    Raises:
        MalformedRequestError: the body is not a JSON object within the limits of `parse_document`.
        InvalidRequestError: fields are invalid, or not available; the error names them.
        ModelNotFoundError: there is no such model.
    """
    request = validate(kind, without_nulls(parse_document(body), kind))
    requested = request.settings()
    with fields_named({"model": f"{SETTINGS}/sd_model_checkpoint"}):
        name = requested.sd_model_checkpoint
        model = catalog.find(name) if name else options.model(catalog)
    settings = requested.over(options)
    fields, names = request.own_fields()
    with fields_named(names):
        submission = validate(
            JobSubmission,
            {**fields, **settings.own_fields(), "model": model.name, "tags": (TAG,)},
        )
    return RequestedImages(
        submission=submission,
        names=names,
        parameters=request.echo(),
        sends_images=request.send_images,
        kept=None if request.override_settings_restore_afterwards else settings,
    )
