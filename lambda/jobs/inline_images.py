"""Images that are part of a request, as `data:` URLs."""

import base64
from dataclasses import dataclass

from contract.identifiers import S3Location
from contract.keys import input_key
from contract.problem import FieldError
from contract.request import JobRequest, control_image_pointer, input_image_uris

_NOT_BASE64 = "must contain an image in base64, without spaces or line breaks"


@dataclass(frozen=True, kw_only=True)
class InlineImage:
    """An image from a `data:` URL and the S3 location to store it at."""

    location: S3Location
    media_type: str
    data: bytes


def extract_inline_images(
    request: JobRequest, *, job_id: str, bucket: str
) -> tuple[JobRequest, tuple[InlineImage, ...], tuple[FieldError, ...]]:
    """Replaces every `data:` URL by an `s3://` URI.

    Args:
        request: the client's request.
        job_id: the job's id, which is part of the images' keys.
        bucket: the data bucket.

    Returns:
        The new request, the images to store at its URIs, and an error for each URL with invalid base64.
    """
    uris: dict[str, str] = {}
    images: list[InlineImage] = []
    errors: list[FieldError] = []
    for pointer, uri in input_image_uris(request).items():
        uris[pointer] = uri
        if uri.partition(":")[0].lower() != "data":
            continue
        data = _decode(uri)
        if data is None:
            errors.append(FieldError(pointer=pointer, detail=_NOT_BASE64))
            continue
        location = S3Location(bucket, input_key(job_id, _name(pointer)))
        images.append(InlineImage(location=location, media_type=_media_type(uri), data=data))
        uris[pointer] = location.uri
    return _with_images(request, uris), tuple(images), tuple(errors)


def _name(pointer: str) -> str:
    """`controlnets-0-image` for `#/controlnets/0/image`."""
    return pointer.removeprefix("#/").replace("/", "-")


def _decode(url: str) -> bytes | None:
    """Returns the content of a `data:` URL; None if it is empty or not base64."""
    try:
        return base64.b64decode(url.partition(",")[2], validate=True) or None
    except ValueError:
        return None


def _media_type(url: str) -> str:
    """`image/png` for `data:image/png;base64,...`."""
    return url.partition(":")[2].partition(";")[0]


def _with_images(request: JobRequest, uris: dict[str, str]) -> JobRequest:
    """Returns the request with the images' URIs, by JSON pointer, replaced."""
    return request.model_copy(
        update={
            "input_image": uris.get("#/input_image"),
            "mask_image": uris.get("#/mask_image"),
            "controlnets": tuple(
                each.model_copy(update={"image": uris[control_image_pointer(index)]})
                for index, each in enumerate(request.controlnets)
            ),
        }
    )
