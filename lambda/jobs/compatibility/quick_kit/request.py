"""The page's requests for images, and the submissions that they are translated to."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from contract.document import parse_document
from contract.generation import InvalidRequestError
from contract.images import MAX_DATA_URL_CHARACTERS
from contract.problem import FieldError
from contract.request import (
    MAX_COUNT,
    MAX_SAMPLER_CHARACTERS,
    MAX_SEED,
    Count,
    Dimension,
    NegativePrompt,
    Prompt,
    Steps,
)
from contract.submission import JobSubmission
from contract.validation import validate
from jobs.compatibility.field_names import fields_named
from jobs.compatibility.neutral import only

NAMES = {
    "controlnets": "control_net_model",
    "controlnets/0/image": "input_image",
    "controlnets/0/type": "control_net_model",
    "loras": "lora_name",
    "loras/0/name": "lora_name",
}
"""The page's names of the fields of a submission that it names differently, for `fields_named`."""

_RANDOM = -1
_SEEDS = MAX_SEED + 2 - MAX_COUNT
"""The number of seeds that leave room for every count."""

_MAX_PAGE_SEED = 2**53 - 1
"""The largest integer that a page sends exactly. Its random seeds have up to 13 digits."""

_PREPROCESSED = "canny"
"""The ControlNet whose control image is computed from any image."""

_NO_CONTROL_NET = ("", "disable")
_MAX_NAME_CHARACTERS = 100


class TaskRequest(BaseModel):
    """A request for images. Fields that are omitted or null take the model's defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    prompt: Prompt
    negative_prompt: NegativePrompt = ""
    width: Dimension | None = None
    height: Dimension | None = None
    steps: Steps | None = None
    sampler: Annotated[
        str, Field(max_length=MAX_SAMPLER_CHARACTERS, description="Empty: the model's default.")
    ] = ""
    seed: Annotated[
        int | None,
        Field(
            ge=_RANDOM,
            le=_MAX_PAGE_SEED,
            description=f"-1 is random. Seeds from {_SEEDS} on are taken modulo {_SEEDS}.",
        ),
    ] = None
    count: Count | None = None
    input_image: Annotated[
        str | None,
        Field(
            max_length=MAX_DATA_URL_CHARACTERS,
            description="The image to start from; the control image's source with `control_net_model`.",
        ),
    ] = None
    control_net_model: Annotated[
        str, Field(max_length=_MAX_NAME_CHARACTERS, description="Name of a ControlNet; `disable` is none.")
    ] = ""
    control_net_detect: Annotated[
        str,
        only("true", "false", refusal="must be true or false, as text"),
        Field(
            max_length=_MAX_NAME_CHARACTERS,
            description="`true`: the control image is computed from `input_image`, for `canny` only.",
            json_schema_extra={"enum": ["true", "false"]},
        ),
    ] = "true"
    control_net_enable: Annotated[
        str | None,
        only("enable", "disable", refusal="must be enable or disable"),
        Field(
            max_length=_MAX_NAME_CHARACTERS,
            description="`disable`: `control_net_model` is ignored.",
            json_schema_extra={"enum": ["enable", "disable"]},
        ),
    ] = None
    sdxl_refiner: Annotated[
        str,
        only("disable", refusal="cannot be enabled: this API has no second pass of the refiner"),
        Field(
            max_length=_MAX_NAME_CHARACTERS,
            description="`disable` only.",
            json_schema_extra={"enum": ["disable"]},
        ),
    ] = "disable"
    lora_name: Annotated[
        str, Field(max_length=_MAX_NAME_CHARACTERS, description="Name of a LoRA in the models bucket.")
    ] = ""
    lora_url: Annotated[
        str,
        only("", refusal="must be empty: LoRAs are files in the models bucket; name one in lora_name"),
        Field(max_length=_MAX_NAME_CHARACTERS, description="Empty only.", json_schema_extra={"enum": [""]}),
    ] = ""

    @property
    def has_control_net(self) -> bool:
        """Whether a ControlNet is used."""
        return self.control_net_model not in _NO_CONTROL_NET and self.control_net_enable != "disable"

    def own_fields(self) -> dict[str, Any]:
        """The fields of a `JobSubmission`.

        Raises:
            InvalidRequestError: the control image is missing, or is not computed for this ControlNet.
        """
        values = {
            name: getattr(self, name)
            for name in ("prompt", "negative_prompt", "width", "height", "steps", "count")
        }
        if self.sampler:
            values["sampler"] = self.sampler
        if self.seed is not None and self.seed != _RANDOM:
            values["seed"] = self.seed % _SEEDS
        if self.lora_name:
            values["loras"] = ({"name": self.lora_name},)
        if self.has_control_net:
            values["controlnets"] = (self._control_net(),)
        else:
            values["input_image"] = self.input_image
        return values

    def _control_net(self) -> dict[str, Any]:
        if self.input_image is None:
            raise _invalid("input_image", "is required by control_net_model")
        is_computed = self.control_net_detect == "true"
        if is_computed and self.control_net_model != _PREPROCESSED:
            raise _invalid(
                "control_net_model",
                f"control images are computed for {_PREPROCESSED} only; send a finished control image as "
                'input_image, with control_net_detect "false"',
            )
        return {"type": self.control_net_model, "image": self.input_image, "preprocess": is_computed}


def parse_task(body: str, model: str, uri_of: Callable[[str], str | None]) -> JobSubmission:
    """Parses a request.

    Args:
        body: the JSON of a `TaskRequest`.
        model: the name of the model.
        uri_of: the `s3://` URI of the object that a link leads to; None for other addresses.

    Raises:
        MalformedRequestError: the body is not a JSON object within the limits of `parse_document`.
        InvalidRequestError: fields are invalid; the error names them.
    """
    document = {
        name: value
        for name, value in parse_document(body).items()
        if value is not None or name not in TaskRequest.model_fields
    }
    if isinstance(image := document.get("input_image"), str):
        document["input_image"] = uri_of(image) or image
    fields = validate(TaskRequest, document).own_fields()
    with fields_named(NAMES):
        return validate(JobSubmission, {**fields, "model": model})


def _invalid(name: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError((FieldError(pointer=f"#/{name}", detail=detail),))
