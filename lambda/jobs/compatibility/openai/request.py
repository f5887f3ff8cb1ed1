"""Requests for images in OpenAI's form, and the jobs that they become."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field

from contract.document import parse_document
from contract.generation import InvalidRequestError
from contract.model import ModelDeclaration
from contract.problem import FieldError
from contract.request import Count, JobRequest
from contract.submission import JobSubmission, Tags
from contract.validation import validate
from jobs.compatibility.field_names import fields_named
from jobs.compatibility.neutral import only
from jobs.compatibility.openai.models import ModelNames

_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_OWN_NAMES = {"n": "count", "output_compression": "quality"}
"""This API's name of each field that OpenAI names differently."""

_NOT_OWN = {
    "model",
    "size",
    "quality",
    "response_format",
    "background",
    "moderation",
    "style",
    "stream",
    "partial_images",
    "user",
    "safety_identifier",
    "input_fidelity",
}
"""Fields that are no field of a submission by another name."""

_SHARES_OF_STEPS = {"low": 0.5, "high": 1.5, "hd": 1.5}
"""Of the model's default, by `quality`."""

_LINKS_BY_DEFAULT = "dall-e-"
"""Models with such names return links unless a request says otherwise; all others return the files."""

_MAX_NAME_CHARACTERS = 100
_MAX_USER_CHARACTERS = 512


class ResponseFormat(StrEnum):
    """The form of the images in the response."""

    URL = "url"
    B64_JSON = "b64_json"


def _check_size(size: str) -> str:
    if size != "auto" and not _SIZE.fullmatch(size):
        raise ValueError("must be auto, or WIDTHxHEIGHT such as 1024x1024")
    return size


class ImageGenerationRequest(JobRequest):
    """A request for images. Fields that are omitted or null take the model's defaults."""

    model: Annotated[
        str | None,
        Field(
            max_length=_MAX_NAME_CHARACTERS,
            description="Name of a model, or a name of the setting `api.model_aliases`.",
        ),
    ] = None
    n: Annotated[Count | None, Field(description="Number of images; `count`.")] = None
    size: Annotated[
        str,
        AfterValidator(_check_size),
        Field(
            description="`WIDTHxHEIGHT`; `auto` is the model's default, or follows the input image.",
            json_schema_extra={"pattern": "^(auto|[0-9]{1,5}x[0-9]{1,5})$"},
        ),
    ] = "auto"
    quality: Annotated[
        Literal["auto", "standard", "hd", "low", "medium", "high"] | None,
        Field(
            description=(
                "Number of denoising steps, as a share of the model's default: a half for `low`, one and a "
                "half for `high` and `hd`, all for the others. Without effect beside `steps`."
            )
        ),
    ] = None  # type: ignore[assignment]  # the API's own field is `output_compression` here
    response_format: Annotated[
        ResponseFormat | None,
        Field(
            strict=False,
            description=(
                "`url`: links, which work for an hour. `b64_json`: the files, in base64. By default `url` "
                "for models that are requested by a name with `dall-e-`, else `b64_json`."
            ),
        ),
    ] = None
    output_compression: Annotated[
        int | None,
        Field(ge=0, le=100, description="Quality of JPEG and WebP files, 90 by default; `quality`."),
    ] = None
    background: Annotated[
        Literal["transparent", "opaque", "auto"] | None,
        only("opaque", "auto", refusal="images have no transparent areas; send opaque, or remove it"),
        Field(description="`opaque` or `auto`.", json_schema_extra={"enum": ["opaque", "auto", None]}),
    ] = None
    style: Annotated[
        Literal["vivid", "natural"] | None,
        only("vivid", refusal="only vivid is supported; describe the style in the prompt instead"),
        Field(description="`vivid` only.", json_schema_extra={"enum": ["vivid", None]}),
    ] = None
    moderation: Annotated[
        Literal["low", "auto"] | None,
        Field(description="Without effect: the NSFW filter is a setting of the deployment."),
    ] = None
    stream: Annotated[
        bool | None,
        only(False, refusal="images are not streamed; send false, or remove it"),
        Field(description="False only.", json_schema_extra={"enum": [False, None]}),
    ] = None
    partial_images: Annotated[
        int | None,
        only(0, refusal="images are not streamed; send 0, or remove it"),
        Field(description="0 only.", json_schema_extra={"enum": [0, None]}),
    ] = None
    user: Annotated[str | None, Field(max_length=_MAX_USER_CHARACTERS, description="Without effect.")] = None
    safety_identifier: Annotated[
        str | None, Field(max_length=_MAX_USER_CHARACTERS, description="Without effect.")
    ] = None
    tags: Tags = ()

    def requested_format(self) -> ResponseFormat:
        """The form of the images, by default the one that the named model has at OpenAI."""
        if self.response_format is not None:
            return self.response_format
        has_links = (self.model or "").startswith(_LINKS_BY_DEFAULT)
        return ResponseFormat.URL if has_links else ResponseFormat.B64_JSON

    def own_fields(self, model: ModelDeclaration) -> dict[str, Any]:
        """The fields of a `JobSubmission`.

        Raises:
            InvalidRequestError: a field is given by two names.
        """
        self._check_given_once()
        given = {name: getattr(self, name) for name in self.model_fields_set}
        values = {
            _OWN_NAMES.get(name, name): value
            for name, value in given.items()
            if name not in _NOT_OWN and value is not None
        }
        if "quality" in values:
            values["quality"] = max(values["quality"], 1)
        if size := _SIZE.fullmatch(self.size):
            values["width"], values["height"] = int(size[1]), int(size[2])
        if self._has_quality():
            share = _SHARES_OF_STEPS[self.quality or ""]
            values["steps"] = min(max(round(model.defaults.steps * share), 1), model.limits.max_steps)
        return {**values, "model": model.name}

    def names(self) -> dict[str, str]:
        """The name that the client used for each of this API's fields, where it is another one."""
        names = {own: name for name, own in _OWN_NAMES.items() if getattr(self, name) is not None}
        if self.size != "auto":
            names |= {"width": "size", "height": "size"}
        return names | ({"steps": "quality"} if self._has_quality() else {})

    def _has_quality(self) -> bool:
        return self.steps is None and self.quality in _SHARES_OF_STEPS

    def _check_given_once(self) -> None:
        pairs = [("n", "count")]
        if self.size != "auto":
            pairs += [("size", "width"), ("size", "height")]
        errors = tuple(
            FieldError(pointer=f"#/{name}", detail=f"is the same as {own}; remove one of them")
            for name, own in pairs
            if None not in (getattr(self, name), getattr(self, own))
        )
        if errors:
            raise InvalidRequestError(errors)


_Images = TypeVar("_Images", bound=ImageGenerationRequest)


@dataclass(frozen=True)
class RequestedImages:
    """A valid request.

    Attributes:
        submission: the job to submit.
        names: the names of its fields that the client used, for `fields_named`.
        response_format: of the images.
    """

    submission: JobSubmission
    names: dict[str, str]
    response_format: ResponseFormat


def parse_generation(body: str, models: ModelNames) -> RequestedImages:
    """Parses a request for images of a prompt.

    Args:
        body: the JSON of an `ImageGenerationRequest`.
        models: the models.

    Raises:
        MalformedRequestError: the body is not a JSON object within the limits of `parse_document`.
        InvalidRequestError: fields are invalid; the error names them.
        ModelNotFoundError: there is no such model.
    """
    return requested(ImageGenerationRequest, parse_document(body), models)


def requested(kind: type[_Images], document: Mapping[str, Any], models: ModelNames) -> RequestedImages:
    """The job that a document of this kind becomes; see `parse_generation`."""
    given = {
        name: value for name, value in document.items() if value is not None or name not in kind.model_fields
    }
    request = validate(kind, given)
    model = models.find(request.model)
    names = request.names()
    with fields_named(names):
        submission = validate(JobSubmission, request.own_fields(model))
    return RequestedImages(submission, names, request.requested_format())
