"""Upscalers from their files, whoever has made those."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from inference.contract.problem import ErrorCode, FieldError, ProblemError
from inference.denoising.enlarging.library import load_spandrel
from inference.denoising.enlarging.upscaler import Upscaler
from inference.engine import AdapterFile
from inference.pickles import Flaw, UnreadPickleError, read_pickle

_SCALES = range(1, 9)
_SENTENCES = {
    Flaw.OTHER: "is neither a .safetensors nor a .pth file; upload one of these",
    Flaw.DANGEROUS: "holds code beside its weights, which was not executed; use a .safetensors file",
}
_DAMAGED = "is damaged, or its weights do not fit together; upload it again"
_MISFIT = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    *(MemoryError, OSError, SafetensorError),
)
"""What a reader of files and makers of networks raise where bytes, names or shapes are wrong."""


class UnusableUpscalerError(ProblemError):
    """A file holds no upscaler, a damaged one, or more than weights."""

    code = ErrorCode.ADAPTER_UNUSABLE


def read_upscaler(file: AdapterFile, *, pointer: str) -> Upscaler:
    """The upscaler in a file, on the CPU.

    Args:
        file: a .safetensors, or a .pth, of which nothing is executed.
        pointer: to the request's field that names it, for the error.

    Raises:
        UnusableUpscalerError: it cannot be used.
    """
    try:
        return Upscaler(_model(file.path))
    except _UnusableError as error:
        reason = str(error)
    except _MISFIT:
        reason = _DAMAGED
    wrong = FieldError(pointer=pointer, detail=f"the upscaler {file.name!r} {reason}")
    raise UnusableUpscalerError(f"The upscaler {file.name!r} {reason}.", errors=(wrong,))


class _UnusableError(Exception):
    """Says why, in words of ours."""


def _model(path: Path) -> Any:
    spandrel = load_spandrel()
    try:
        model = spandrel.ModelLoader().load_from_state_dict(_weights(path))
    except spandrel.UnsupportedModelError:
        raise _UnusableError("is of no architecture that is known here; use another") from None
    if not isinstance(model, spandrel.ImageModelDescriptor) or model.purpose not in ("SR", "Restoration"):
        raise _UnusableError("is a model for something else; use one made for super-resolution")
    if (model.input_channels, model.output_channels) != (3, 3) or model.scale not in _SCALES:
        raise _UnusableError("does not make larger RGB pictures of RGB pictures; use another")
    return model.eval()


def _weights(path: Path) -> Any:
    """What the file says it holds: names and tensors if all is well."""
    if path.suffix == ".safetensors":
        return load_file(path)
    try:
        return read_pickle(path)
    except UnreadPickleError as error:
        raise _UnusableError(_SENTENCES.get(error.flaw, _DAMAGED)) from error
