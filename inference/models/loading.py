"""Models in any of their forms, as pipelines of diffusers: their parts read side by side, onto the device."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import DiffusionPipeline

from inference.models.diffusers_directory import directory_parts
from inference.models.errors import UnusableModelError
from inference.models.formats import INDEX, REFINER, DiffusersDirectory, open_model
from inference.models.parts import Parts
from inference.models.single_file import single_file_parts
from inference.observability.logs import adopt


def placement() -> tuple[torch.device, torch.dtype]:
    """Where this machine draws, on its GPU if there is one, and in which precision it does so fastest."""
    if not torch.cuda.is_available():
        return torch.device("cpu"), torch.float32
    has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.device("cuda"), torch.bfloat16 if has_bfloat16 else torch.float16


def load_pipeline(path: Path, *, device: torch.device | None = None, dtype: torch.dtype | None = None) -> Any:
    """The model at a path, ready to draw; without a safety checker.

    Args:
        path: see `inference.models.formats.open_model`.
        device: where it is to be; None: see `placement`.
        dtype: its precision; None: see `placement`. A VAE that fp16 is too small for is kept in fp32.

    Raises:
        UnusableModelError: there is no model at the path, or it is damaged, dangerous or incomplete.
    """
    _quieten_libraries()
    own_device, own_dtype = placement()
    device, dtype = device or own_device, dtype or own_dtype
    model = open_model(path)
    if isinstance(model, DiffusersDirectory):
        parts = directory_parts(model.path)
        if parts is None:
            return _load_other(model.path, device, dtype)
    else:
        _, parts = single_file_parts(model)
    return _load(parts, device, dtype)


def load_refiner(path: Path, *, device: torch.device, dtype: torch.dtype) -> Any | None:
    """The SDXL refiner in the directory `refiner` beside a model's parts; None where there is none.

    Args:
        path: the model's directory.
        device: that of the model it refines for.
        dtype: that of the model's UNet.

    Raises:
        UnusableModelError: it is damaged or incomplete.
    """
    directory = path / REFINER
    return load_pipeline(directory, device=device, dtype=dtype) if (directory / INDEX).is_file() else None


def _load(parts: Parts, device: torch.device, dtype: torch.dtype) -> Any:
    with ThreadPoolExecutor(len(parts.heavy), thread_name_prefix="load") as threads:
        loads = {part.name: threads.submit(part.load, device, dtype) for part in parts.heavy}
        return parts.assemble({name: load.result() for name, load in loads.items()})


def _load_other(directory: Path, device: torch.device, dtype: torch.dtype) -> Any:
    """A model that diffusers knows and we do not."""
    try:
        pipeline = DiffusionPipeline.from_pretrained(
            directory,
            dtype=dtype,
            variant="fp16" if any(directory.glob("*/*.fp16*.safetensors")) else None,
            local_files_only=True,
            use_safetensors=True,
            **_without_checker(directory),
        )
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UnusableModelError(
            f"{directory.name} is not a whole diffusers directory with safetensors weights "
            f"({type(error).__name__}); fetch the model again."
        ) from error
    return pipeline.to(device)


def _without_checker(directory: Path) -> dict[str, Any]:
    """Leaves out the safety checker, which would look at pictures on the device: `inference.output` does it.

    Its feature extractor may even be of a class that transformers no longer has.
    """
    parts = ("safety_checker", "feature_extractor")
    absent = {name: None for name in parts if (directory / name).is_dir()}
    return {**absent, "requires_safety_checker": False} if absent else {}


def _quieten_libraries() -> None:
    adopt("diffusers", "transformers")
    for library in (diffusers.utils.logging, transformers.utils.logging):
        library.disable_progress_bar()
