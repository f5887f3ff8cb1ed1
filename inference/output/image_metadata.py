"""The metadata of image files: AUTOMATIC1111's parameters text, and the request as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.generation import Generation
from contract.options import MetadataMode
from contract.request import control_image_pointer
from contract.size import Size
from inference.output.infotext import infotext


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The weights, libraries and input images that an image was generated with.

    Attributes:
        revision: the model's revision: a Hugging Face commit, or a file's SHA-256; None if unknown.
        versions: of the libraries.
        input_digests: SHA-256 of the input images in hexadecimal, by the pointers of `input_image_uris`.
        unused: names of the generation's fields that the model does not use.
    """

    revision: str | None
    versions: Mapping[str, str]
    input_digests: Mapping[str, str] = field(default_factory=dict)
    unused: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ImageMetadata:
    """The texts in an image file; None where the metadata mode leaves one out.

    They do not depend on the job's other images, its id, the time or the deployment: an image that is
    reproduced alone, or elsewhere, has the same metadata.

    Attributes:
        parameters: AUTOMATIC1111's parameters text. NUL characters, at which many readers stop, are replaced.
        generation: a JSON object. Its `request` is a `JobRequest` for this image alone, with `sha256:...` of
            the files in place of the URIs of input images.
    """

    parameters: str | None = None
    generation: str | None = None

    @classmethod
    def of(cls, generation: Generation, index: int, *, size: Size, provenance: Provenance) -> "ImageMetadata":
        """The metadata of one image, according to the generation's metadata mode.

        Args:
            generation: the request.
            index: of the image, from 0.
            size: of the finished image.
            provenance: of the image.
        """
        if generation.metadata is MetadataMode.NONE:
            return cls()
        is_full = generation.metadata is MetadataMode.FULL
        alone = generation.model_copy(update={"seed": generation.seeds[index], "count": 1})
        digests = {pointer: f"sha256:{digest}" for pointer, digest in provenance.input_digests.items()}
        text = infotext(
            alone,
            size=size,
            revision=provenance.revision,
            versions=provenance.versions,
            input_digests=digests if is_full else {},
            unused=provenance.unused,
        )
        return cls(
            parameters=text.replace("\0", "\N{REPLACEMENT CHARACTER}"),
            generation=_generation_json(alone, digests, provenance) if is_full else None,
        )


def _generation_json(generation: Generation, digests: Mapping[str, str], provenance: Provenance) -> str:
    request = generation.model_dump(mode="json", exclude={"id", *provenance.unused}, exclude_none=True)
    for name in ("input_image", "mask_image"):
        if name in request:
            request[name] = digests[f"#/{name}"]
    for index, controlnet in enumerate(request["controlnets"]):
        controlnet["image"] = digests[control_image_pointer(index)]
    return _json({"request": request, "revision": provenance.revision, "versions": dict(provenance.versions)})


def _json(value: Any) -> str:
    """Compact JSON without the characters that XML forbids."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
