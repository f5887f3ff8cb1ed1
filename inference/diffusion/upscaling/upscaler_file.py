"""UpscalerCache from their files, whoever has made those."""

from pathlib import Path
from typing import Any

from contract.adapters import UPSCALER
from inference.diffusion.adapters.adapter_files import AdapterFileError, adapter_errors, read_tensors
from inference.diffusion.upscaling.spandrel import load_spandrel
from inference.diffusion.upscaling.upscaler import Upscaler
from inference.engine.interface import AdapterFile
from inference.models.safe_pickle import Flaw, UnreadPickleError, read_pickle

_SCALES = range(1, 9)
_REASONS = {
    Flaw.OTHER: "is neither a .safetensors nor a .pth file; upload one of these",
    Flaw.DANGEROUS: "holds code beside its weights, which was not executed; use a .safetensors file",
}
_DAMAGED = "is damaged, or its weights do not fit together; upload it again"
_MISFIT = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    MemoryError,
)
"""What the makers of networks raise where names or shapes are wrong."""


def read_upscaler(file: AdapterFile, *, pointer: str) -> Upscaler:
    """The upscaler in a file, on the CPU.

    Args:
        file: a .safetensors, or a .pth, of which nothing is executed.
        pointer: to the request's field that names it, for the error.

    Raises:
        AdapterUnusableError: it is no upscaler, a damaged one, or holds more than weights.
    """
    with adapter_errors(file, UPSCALER, pointer):
        return Upscaler(_model(_weights(file.path)))


def _model(weights: Any) -> Any:
    """Spandrel's model.

    Args:
        weights: tensors by name if all is well.
    """
    spandrel = load_spandrel()
    try:
        model = spandrel.ModelLoader().load_from_state_dict(weights)
    except spandrel.UnsupportedModelError as error:
        raise AdapterFileError("is of no architecture that is known here; use another") from error
    except _MISFIT as error:
        raise AdapterFileError(_DAMAGED) from error
    if not isinstance(model, spandrel.ImageModelDescriptor) or model.purpose not in ("SR", "Restoration"):
        raise AdapterFileError("is a model for something else; use one made for super-resolution")
    if (model.input_channels, model.output_channels) != (3, 3) or model.scale not in _SCALES:
        raise AdapterFileError("does not make larger RGB pictures of RGB pictures; use another")
    return model.eval()


def _weights(path: Path) -> Any:
    if path.suffix == ".safetensors":
        return read_tensors(path)[0]
    try:
        return read_pickle(path)
    except UnreadPickleError as error:
        raise AdapterFileError(_REASONS.get(error.flaw, _DAMAGED)) from error
