"""The specification of a compiled UNet: everything that its code depends on, and no values of weights."""

import hashlib
import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch.nn.attention import _cur_sdpa_kernel_backends

_FORMAT = 1
"""Changes with the options of the compiler and with the order of the inputs."""

_LIBRARIES = ("torch", "diffusers", "triton")
_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class TensorLayout:
    """The layout of a tensor in memory.

    Attributes:
        shape: its sizes.
        strides: in elements.
        dtype: such as "float16".
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str

    @classmethod
    def of(cls, tensor: torch.Tensor) -> "TensorLayout":
        """The layout of a tensor."""
        return cls(tuple(tensor.shape), tuple(tensor.stride()), str(tensor.dtype).removeprefix("torch."))

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype as torch has it."""
        dtype: torch.dtype = getattr(torch, self.dtype)
        return dtype

    @property
    def extent(self) -> int:
        """Elements of storage from the first of the tensor to its last."""
        return 1 + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))


@dataclass(frozen=True)
class Specification:
    """A UNet to compile for inputs of one shape.

    Attributes:
        config: the UNet's configuration as JSON.
        parameters: name and layout of each parameter and buffer.
        inputs: name and layout of each input: "sample", "timestep", "encoder_hidden_states", and the names of
            added conditions.
        device: "cpu" or "cuda".
        threads: CPU threads that compute.
        attention: the preferred attention kernels, names of `torch.nn.attention.SDPBackend`.
        platform: processor, GPU and versions of libraries.
    """

    config: str
    parameters: tuple[tuple[str, TensorLayout], ...]
    inputs: tuple[tuple[str, TensorLayout], ...]
    device: str
    threads: int
    attention: tuple[str, ...]
    platform: tuple[tuple[str, str], ...]

    @classmethod
    def of(
        cls, unet: Any, parameters: Mapping[str, TensorLayout], inputs: Mapping[str, torch.Tensor]
    ) -> "Specification":
        """The specification for a UNet with these parameters, for the current thread of this machine."""
        config = {name: value for name, value in unet.config.items() if not name.startswith("_")}
        device = inputs["sample"].device
        return cls(
            config=json.dumps(config, sort_keys=True),
            parameters=tuple(sorted(parameters.items())),
            inputs=tuple((name, TensorLayout.of(tensor)) for name, tensor in inputs.items()),
            device=device.type,
            threads=torch.get_num_threads(),
            attention=_attention(),
            platform=tuple(sorted(_platform(device).items())),
        )

    @classmethod
    def from_json(cls, text: str) -> "Specification":
        """Reverses `to_json`."""
        fields = json.loads(text)
        return cls(
            **fields
            | {name: _layouts(fields[name]) for name in ("parameters", "inputs")}
            | {"attention": tuple(fields["attention"])}
            | {"platform": tuple((name, value) for name, value in fields["platform"])}
        )

    def to_json(self) -> str:
        """All fields as a JSON object."""
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def key(self) -> str:
        """Identifies the specification; equal ones have the same key in every process."""
        digest = hashlib.sha256(f"{_FORMAT} {self.to_json()}".encode()).hexdigest()
        return re.sub(r"[^A-Za-z0-9.]+", "-", f"{dict(self.platform)['device']}-{self.shape}-{digest}")

    @property
    def shape(self) -> str:
        """The shape of the sample, such as "2x4x64x64"."""
        return "x".join(str(size) for size in dict(self.inputs)["sample"].shape)


def _layouts(pairs: Sequence[Any]) -> tuple[tuple[str, TensorLayout], ...]:
    return tuple(
        (name, TensorLayout(tuple(layout["shape"]), tuple(layout["strides"]), layout["dtype"]))
        for name, layout in pairs
    )


def _attention() -> tuple[str, ...]:
    return tuple(str(each.name) for each in _cur_sdpa_kernel_backends(with_priority=True))


def _platform(device: torch.device) -> dict[str, str]:
    described = {name: _version(name) for name in _LIBRARIES}
    described["processor"] = _processor()
    described["device"] = platform.machine()
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        described["device"] = properties.name
        described["capability"] = f"{properties.major}.{properties.minor}"
        described["cuda"] = str(torch.version.cuda)
    return described


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    """The instruction sets of the processor, for all of which the compiler optimizes (-march=native)."""
    try:
        report = _CPU_INFO.read_text()
    except OSError:
        return platform.processor()
    found = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", report, re.MULTILINE)
    flags = " ".join(sorted(found[1].split())) if found else report
    return f"{platform.machine()} {hashlib.sha256(flags.encode()).hexdigest()[:16]}"
