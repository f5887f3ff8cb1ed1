"""What an image's file says of how the image was drawn: as people's tools read it, and in full."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from contract.generation import Generation
from contract.size import Size
from inference.output.infotext import infotext


@dataclass(frozen=True, kw_only=True)
class MadeWith:
    """What has drawn an image.

    Attributes:
        revision: the weights: a commit of the hub, or a file's SHA-256; None if nobody knows.
        versions: of the libraries.
    """

    revision: str | None
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Provenance:
    """The two texts in an image's file. An image that is drawn again, alone, has the same.

    Attributes:
        parameters: in AUTOMATIC1111's convention. A NUL, which ends texts in many readers, is U+FFFD there.
        generation: a JSON object. Its `request` is a `JobRequest` for this image alone; pictures that came
            inside the request, and signatures in addresses, are not in it.
    """

    parameters: str
    generation: str

    @classmethod
    def of(
        cls,
        generation: Generation,
        index: int,
        *,
        size: Size,
        made_with: MadeWith,
    ) -> "Provenance":
        """Of one image.

        Args:
            generation: what the image is of.
            index: which of its images, from 0.
            size: width and height of the finished picture.
            made_with: what has drawn it.
        """
        revision, versions = made_with.revision, made_with.versions
        alone = generation.model_copy(update={"seed": generation.seeds[index], "count": 1})
        described = {
            "request": _request(alone),
            "revision": revision,
            "versions": dict(versions),
        }
        text = infotext(alone, size=size, revision=revision, versions=versions)
        return cls(parameters=text.replace("\0", "\N{REPLACEMENT CHARACTER}"), generation=_json(described))


def _request(generation: Generation) -> dict[str, Any]:
    request = generation.model_dump(mode="json", exclude={"id"}, exclude_none=True)
    for place in (request, *request["controlnets"]):
        for name in ("input_image", "mask_image", "image"):
            if name in place:
                place[name] = _named(place[name])
    return request


def _named(uri: str) -> str:
    """The picture by a name that may be published: no picture of its own, and no right to read one."""
    scheme, _, rest = uri.partition(":")
    match scheme.lower():
        case "data":
            content = base64.b64decode(unquote_to_bytes(rest.partition(",")[2]))
            return f"sha256:{hashlib.sha256(content).hexdigest()}"
        case "https":
            return urlsplit(uri)._replace(query="", fragment="").geturl()
        case _:
            return uri


def _json(value: Any) -> str:
    """Compact JSON without characters that XML forbids."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
