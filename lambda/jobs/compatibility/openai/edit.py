"""Edits of images in OpenAI's form, and the jobs that they become."""

import base64
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from contract.document import MalformedRequestError, parse_document
from contract.generation import InvalidRequestError
from contract.images import IMAGE_MEDIA_TYPES
from contract.model import ModelDeclaration
from contract.problem import MAX_ECHOED_CHARACTERS, FieldError
from contract.request import InputImage, MaskImage
from jobs.compatibility.image_files import media_type_of
from jobs.compatibility.neutral import only
from jobs.compatibility.openai.models import ModelNames
from jobs.compatibility.openai.request import ImageGenerationRequest, RequestedImages, requested
from jobs.http.form import Form, FormFile

_FILES = ("image", "mask")
_LIST = "[]"
_FILE = WithJsonSchema({"type": "string", "format": "binary"})
_MASK_MEANING = "is part of the meaning of mask; remove it"


class ImageEditRequest(ImageGenerationRequest):
    """A form with an image to edit. Lists and objects are sent as JSON."""

    image: Annotated[InputImage, _FILE, Field(description="The image to edit: one file.")]
    mask: Annotated[
        MaskImage | None,
        _FILE,
        Field(description="File with transparent areas, which are generated; the others are kept."),
    ] = None
    input_fidelity: Annotated[
        Literal["low", "high"] | None,
        only("low", refusal="only low is supported; lower strength to stay closer to the image"),
        Field(description="`low` only.", json_schema_extra={"enum": ["low", None]}),
    ] = None
    input_image: Annotated[
        InputImage | None,
        only(refusal="is sent as the file image; remove it"),
        Field(description="Null only."),
    ] = None
    mask_image: Annotated[
        MaskImage | None, only(refusal="is sent as the file mask; remove it"), Field(description="Null only.")
    ] = None
    mask_invert: Annotated[bool, only(False, refusal=_MASK_MEANING), Field(description="False only.")] = False
    mask_alpha: Annotated[bool, only(False, refusal=_MASK_MEANING), Field(description="False only.")] = False

    def own_fields(self, model: ModelDeclaration) -> dict[str, Any]:
        """See `ImageGenerationRequest.own_fields`. A masked area is generated from noise by default."""
        values = super().own_fields(model)
        values["input_image"] = values.pop("image")
        if self.mask is not None:
            masked = {"mask_image": values.pop("mask"), "mask_invert": True, "mask_alpha": True}
            values = {"strength": 1.0, **values, **masked}
        return values

    def names(self) -> dict[str, str]:
        """See `ImageGenerationRequest.names`."""
        masked = dict.fromkeys(("mask_image", "mask_invert", "mask_alpha"), "mask")
        return super().names() | masked | {"input_image": "image"}


def parse_edit(form: Form, models: ModelNames) -> RequestedImages:
    """Parses a request to edit an image.

    Args:
        form: an `ImageEditRequest`.
        models: the models.

    Raises:
        InvalidRequestError: fields are invalid; the error names them.
        ModelNotFoundError: there is no such model.
    """
    return requested(ImageEditRequest, {**_texts(form), **_files(form)}, models)


def _files(form: Form) -> dict[str, str]:
    """The files as `data:` URLs."""
    urls: dict[str, str] = {}
    for file in form.files:
        name = file.name.removesuffix(_LIST)
        if name not in _FILES:
            raise _invalid(name, f"unknown file; the form has {' and '.join(_FILES)}")
        if name in urls:
            raise _invalid(name, "must be one file: several images cannot be combined")
        urls[name] = _data_url(name, file)
    return urls


def _data_url(name: str, file: FormFile) -> str:
    media_type = media_type_of(file.data)
    if media_type is None:
        raise _invalid(name, "must be one of " + ", ".join(IMAGE_MEDIA_TYPES))
    return f"data:{media_type};base64,{base64.b64encode(file.data).decode()}"


def _texts(form: Form) -> dict[str, Any]:
    """The values of the other fields, in the types that JSON has for them."""
    values: dict[str, Any] = {}
    for name, text in form.texts:
        own = name.removesuffix(_LIST)
        if "[" in own:  # the form of objects, with the name before the bracket
            raise _invalid(own.partition("[")[0], "must be a JSON text in a form")
        if own != name and own in ImageEditRequest.model_fields:
            values.setdefault(own, [])
            if not isinstance(values[own], list):
                raise _invalid(own, "must be given once")
            values[own].append(text)
        elif name in values:
            raise _invalid(name, "must be given once")
        else:
            values[name] = text if name in _text_fields() else _from_json(text)
    return values


def _from_json(text: str) -> Any:
    """The value of a JSON text; the text itself if it is none."""
    try:
        document = parse_document(f'{{"value":{text}}}')
    except MalformedRequestError:
        return text
    return document["value"] if [*document] == ["value"] else text


@cache
def _text_fields() -> frozenset[str]:
    """The names of the fields that are texts."""
    schema = ImageEditRequest.model_json_schema()
    definitions = schema.get("$defs", {})

    def is_text(part: dict[str, Any]) -> bool:
        part = definitions[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        return part.get("type") == "string" or any(is_text(each) for each in part.get("anyOf", ()))

    return frozenset(name for name, part in schema["properties"].items() if is_text(part))


def _invalid(name: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError((FieldError(pointer=f"#/{name[:MAX_ECHOED_CHARACTERS]}", detail=detail),))
