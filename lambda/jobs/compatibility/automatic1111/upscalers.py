"""The web UI's names of upscalers."""

from contract.generation import InvalidRequestError
from contract.keys import LANCZOS
from contract.problem import FieldError

BUILT_IN = ("None", "Lanczos")
"""Without an upscaling model, the web UI resizes with the Lanczos filter too."""


def upscaler_of(name: str, pointer: str) -> str:
    """The upscaler of a request.

    Args:
        name: one of `BUILT_IN`, or that of an upscaling model.
        pointer: JSON pointer of the field.

    Raises:
        InvalidRequestError: the upscaler works on latents.
    """
    if name in BUILT_IN:
        return LANCZOS
    if name.casefold().startswith("latent"):
        detail = (
            "upscaling of latents is not available; use Lanczos or another upscaler from "
            "GET /sdapi/v1/upscalers"
        )
        raise InvalidRequestError((FieldError(pointer=pointer, detail=detail),))
    return name
