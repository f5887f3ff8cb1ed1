"""The pictures that a request names: where they may lie, and what becomes of those it brings along."""

import base64
from dataclasses import dataclass

from contract.generation import InvalidRequestError
from contract.identifiers import S3Location
from contract.keys import INPUTS_PREFIX, OUTPUTS_PREFIX, input_key
from contract.problem import FieldError
from contract.request import JobRequest, control_pointer, named_images

_NOT_BASE64 = "must hold a picture in base64, without spaces or line breaks"


@dataclass(frozen=True, kw_only=True)
class InlineImage:
    """A picture that came inside a request, and where it is to be kept."""

    location: S3Location
    media_type: str
    data: bytes


def take_out(request: JobRequest, *, job_id: str, bucket: str) -> tuple[JobRequest, tuple[InlineImage, ...]]:
    """The request with every `data:` URL replaced by an `s3://` URI, and the pictures that belong there.

    Args:
        request: what the client asked for.
        job_id: the job's id.
        bucket: the data bucket: what is named in S3 must be an input or an output there.

    Raises:
        InvalidRequestError: every picture that is elsewhere in S3, or cannot be decoded.
    """
    uris: dict[str, str] = {}
    pictures: list[InlineImage] = []
    errors: list[FieldError] = []
    for pointer, uri in named_images(request).items():
        uris[pointer] = uri
        match uri.partition(":")[0].lower():
            case "s3" if not _is_readable(S3Location.parse(uri), bucket):
                errors.append(FieldError(pointer=pointer, detail=_where_to_look(bucket)))
            case "data":
                data = _decode(uri)
                if data is None:
                    errors.append(FieldError(pointer=pointer, detail=_NOT_BASE64))
                    continue
                location = S3Location(bucket, input_key(job_id, _name(pointer)))
                pictures.append(InlineImage(location=location, media_type=_media_type(uri), data=data))
                uris[pointer] = location.uri
    if errors:
        raise InvalidRequestError(tuple(errors))
    return _with_pictures(request, uris), tuple(pictures)


def _is_readable(location: S3Location, bucket: str) -> bool:
    return location.bucket == bucket and location.key.startswith((INPUTS_PREFIX, OUTPUTS_PREFIX))


def _where_to_look(bucket: str) -> str:
    prefixes = (INPUTS_PREFIX, OUTPUTS_PREFIX)
    return "must be under " + " or ".join(S3Location(bucket, prefix).uri for prefix in prefixes)


def _name(pointer: str) -> str:
    """`controlnets-0-image` for `#/controlnets/0/image`."""
    return pointer.removeprefix("#/").replace("/", "-")


def _decode(url: str) -> bytes | None:
    """What a `data:` URL holds; None if it is nothing, or not in base64."""
    try:
        return base64.b64decode(url.partition(",")[2], validate=True) or None
    except ValueError:
        return None


def _media_type(url: str) -> str:
    """`image/png` for `data:image/png;base64,...`."""
    return url.partition(":")[2].partition(";")[0]


def _with_pictures(request: JobRequest, uris: dict[str, str]) -> JobRequest:
    """The request with the pictures at these URIs, by their pointers."""
    return request.model_copy(
        update={
            "input_image": uris.get("#/input_image"),
            "mask_image": uris.get("#/mask_image"),
            "controlnets": tuple(
                each.model_copy(update={"image": uris[control_pointer(index)]})
                for index, each in enumerate(request.controlnets)
            ),
        }
    )
