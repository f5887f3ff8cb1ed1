"""The machine that measurements are made on."""

import platform
from pathlib import Path

import torch

_CPU_INFO = Path("/proc/cpuinfo")
_FEATURES = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_bf16": "AVX-512 BF16",
    "amx_tile": "AMX",
    "amx_bf16": "AMX BF16",
}
"""Of CPUs, by the flag: those that decide which kernels PyTorch runs."""


def describe_machine() -> str:
    """The GPU if there is one, else the CPU with the features that decide its speed."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    try:
        return describe_cpu(_CPU_INFO.read_text())
    except OSError:
        return platform.processor()


def describe_cpu(information: str) -> str:
    """The CPU of a report in the format of /proc/cpuinfo."""
    values = [
        (name.strip(), value.strip())
        for name, _, value in (line.partition(":") for line in information.splitlines())
    ]
    models = [value for name, value in values if name == "model name"]
    flags = next((value.split() for name, value in values if name == "flags"), [])
    features = ", ".join(label for flag, label in _FEATURES.items() if flag in flags)
    without = ", ".join(label for label in ("AVX-512", "AMX") if label not in features)
    description = f"{len(models)} cores of {models[0] if models else platform.processor()} with {features}"
    return f"{description}, without {without}" if without else description
