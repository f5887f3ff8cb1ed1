"""The device that models run on: its description in the log, and the check of an instance's GPU."""

import logging
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import torch

from contract.environment import Quantization
from inference.models.loading import default_device_and_dtype

_DRIVER = Path("/proc/driver/nvidia/version")
_FP8_CAPABILITY = (8, 9)
_LIBRARIES = ("torch", "diffusers", "transformers", "safetensors")

_LOGGER = logging.getLogger(__name__)


class NoUsableGpuError(RuntimeError):
    """The GPU cannot be used as it has to be; the message names the cause and the remedy."""


def check_device(gpu_instance_types: Sequence[str], *, quantization: Quantization | None = None) -> None:
    """Logs the device, its driver and memory, the dtype of models and the versions of libraries.

    Args:
        gpu_instance_types: types with a GPU, one of which the machine is; empty: the machine needs no GPU.
        quantization: of the models.

    Raises:
        NoUsableGpuError: the machine should have a GPU, and PyTorch cannot compute on one, or it does not
            support the quantization.
    """
    if gpu_instance_types:
        _check_gpu(gpu_instance_types)
    device, dtype = default_device_and_dtype()
    if quantization is not None:
        _check_quantization(device)
    details: dict[str, object] = {
        "dtype": str(dtype).removeprefix("torch."),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        free_bytes, _ = torch.cuda.mem_get_info(device)
        details |= {
            "compute_capability": f"{properties.major}.{properties.minor}",
            "memory_gib": round(properties.total_memory / 2**30, 1),
            "free_memory_gib": round(free_bytes / 2**30, 1),
            "driver": driver_version(),
            "cuda": torch.version.cuda,
        }
        _LOGGER.info("models run on %s", properties.name, extra=details)
    else:
        _LOGGER.info("models run on the CPU", extra=details)


def _check_quantization(device: torch.device) -> None:
    if device.type != "cuda":
        found = "models run on the CPU here"
    else:
        properties = torch.cuda.get_device_properties(device)
        if (properties.major, properties.minor) >= _FP8_CAPABILITY:
            return
        found = f"{properties.name} has {properties.major}.{properties.minor}"
    required = ".".join(map(str, _FP8_CAPABILITY))
    raise NoUsableGpuError(
        f"quantization: fp8 needs a GPU of compute capability {required} or higher, such as an L4, L40S or "
        f"H100, but {found}; leave quantization out, or change instance_types"
    )


def driver_version(file: Path = _DRIVER) -> str | None:
    """The version of the host's NVIDIA driver; None if it has none.

    Args:
        file: the driver's report in the format of /proc/driver/nvidia/version.
    """
    try:
        report = file.read_text()
    except OSError:
        return None
    found = re.search(r"^NVRM version:.*?\s(\d+\.\d+(?:\.\d+)*)\s", report, re.MULTILINE)
    return found[1] if found else None


def _check_gpu(gpu_instance_types: Sequence[str]) -> None:
    try:
        torch.ones(2, 2, device="cuda").mm(torch.ones(2, 2, device="cuda")).cpu()
    except (RuntimeError, AssertionError) as error:  # AssertionError: PyTorch was built without CUDA
        types = " or ".join(gpu_instance_types)
        driver = driver_version() or "not visible in the container"
        raise NoUsableGpuError(
            f"gpu_instance_types: an instance of type {types} has a GPU, but PyTorch {torch.__version__} "
            f"cannot use it: {error}. PyTorch's CUDA version: {torch.version.cuda}; the host's NVIDIA "
            f"driver: {driver}. The image must declare NVIDIA_VISIBLE_DEVICES, and the endpoint's "
            "InferenceAmiVersion must have a driver for the CUDA version."
        ) from error
