"""Loading of models in any supported format as diffusers pipelines; components are loaded in parallel."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import DiffusionPipeline

from contract.manifest import SchedulerOverrides
from inference.models.components import PipelineComponents
from inference.models.diffusers_directory import directory_components
from inference.models.errors import UnusableModelError
from inference.models.formats import MODEL_INDEX, REFINER, DiffusersDirectory, ModelFormat, open_model
from inference.models.manifests import read_manifest
from inference.models.parameter_limit import limit_parameters
from inference.models.safetensors_file import read_header
from inference.models.single_file import single_file_components
from inference.observability.logs import propagate_errors_only


def default_device_and_dtype() -> tuple[torch.device, torch.dtype]:
    """The GPU if there is one, and the fastest dtype on it: bfloat16, or float16 on older GPUs."""
    if not torch.cuda.is_available():
        return torch.device("cpu"), torch.float32
    has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.device("cuda"), torch.bfloat16 if has_bfloat16 else torch.float16


def load_pipeline(path: Path, *, device: torch.device | None = None, dtype: torch.dtype | None = None) -> Any:
    """Loads the model at a path, without its safety checker.

    Args:
        path: see `inference.models.formats.open_model`.
        device: None: see `default_device_and_dtype`.
        dtype: None: see `default_device_and_dtype`. A VAE that overflows fp16 is loaded in fp32.

    Raises:
        UnusableModelError: there is no model at the path, it is damaged, unsafe or incomplete, or its
            manifest is not valid.
    """
    _silence_libraries()
    default_device, default_dtype = default_device_and_dtype()
    device, dtype = device or default_device, dtype or default_dtype
    pipeline = _load(open_model(path), device, dtype)
    manifest = read_manifest(path)
    if manifest is not None and manifest.scheduler is not None:
        override_scheduler(pipeline, manifest.scheduler)
    return pipeline


def override_scheduler(pipeline: Any, overrides: SchedulerOverrides) -> None:
    """Replaces values of the scheduler's configuration, also those that only other schedulers use."""
    scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config, **overrides.options)
    scheduler.register_to_config(**overrides.options)
    pipeline.register_modules(scheduler=scheduler)


def load_refiner(path: Path, *, device: torch.device, dtype: torch.dtype) -> Any | None:
    """The SDXL refiner in the subdirectory `refiner` of a base model; None if there is none.

    Args:
        path: the base model's directory.
        device: of the base model.
        dtype: of the base model's UNet.

    Raises:
        UnusableModelError: the refiner is damaged or incomplete.
    """
    directory = path / REFINER
    if not (directory / MODEL_INDEX).is_file():
        return None
    return load_pipeline(directory, device=device, dtype=dtype)


def _load(model: ModelFormat, device: torch.device, dtype: torch.dtype) -> Any:
    if not isinstance(model, DiffusersDirectory):
        return _load_components(single_file_components(model)[1], device, dtype)
    components = directory_components(model.path)
    if components is None:
        return _load_with_diffusers(model.path, device, dtype)
    return _load_components(components, device, dtype)


def _load_components(components: PipelineComponents, device: torch.device, dtype: torch.dtype) -> Any:
    with ThreadPoolExecutor(len(components.weighted), thread_name_prefix="load") as threads:
        futures = {each.name: threads.submit(each.load, device, dtype) for each in components.weighted}
        return components.assemble({name: future.result() for name, future in futures.items()})


def _load_with_diffusers(directory: Path, device: torch.device, dtype: torch.dtype) -> Any:
    """Loads a pipeline of another kind with `DiffusionPipeline.from_pretrained`."""
    tensors = sum(len(read_header(path).shapes) for path in directory.glob("*/*.safetensors"))
    try:
        with limit_parameters(tensors):
            pipeline = DiffusionPipeline.from_pretrained(
                directory,
                dtype=dtype,
                variant="fp16" if any(directory.glob("*/*.fp16*.safetensors")) else None,
                local_files_only=True,
                use_safetensors=True,
                **_without_safety_checker(directory),
            )
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UnusableModelError(
            f"{directory.name} is not a complete diffusers directory with safetensors weights "
            f"({type(error).__name__}); download the model again."
        ) from error
    return pipeline.to(device)


def _without_safety_checker(directory: Path) -> dict[str, Any]:
    """The arguments of `from_pretrained` that omit the safety checker, which `inference.output` runs instead.

    The feature extractor is omitted too: its class may no longer exist in transformers.
    """
    names = ("safety_checker", "feature_extractor")
    omitted = {name: None for name in names if (directory / name).is_dir()}
    return {**omitted, "requires_safety_checker": False} if omitted else {}


def _silence_libraries() -> None:
    propagate_errors_only("diffusers", "transformers")
    for library in (diffusers.utils.logging, transformers.utils.logging):
        library.disable_progress_bar()
