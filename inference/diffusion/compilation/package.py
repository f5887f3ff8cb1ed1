"""Packages: the code of a compiled UNet, without its parameters."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

_PREFIX = "unet."


class PackageError(Exception):
    """A package cannot be used."""


class Package(Protocol):
    """A UNet's code for inputs of one shape. Only one thread may use it."""

    def bind(self, parameters: Mapping[str, torch.Tensor]) -> None:
        """Uses these tensors as the parameters, at their present addresses, until the next call.

        Keeps references to the tensors, once for each call and as long as the process lives: give it views
        whose storage can be replaced, rather than the parameters.
        """
        ...

    def run(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """The UNet's output for inputs of exactly the specified layouts, which are not checked."""
        ...


class AotiPackage:
    """A package of AOTInductor."""

    def __init__(self, content: bytes, parameters: frozenset[str]) -> None:
        """Loads the package, which is native code of this process from then on.

        Args:
            content: of the .pt2 file.
            parameters: the names of all parameters of the UNet.

        Raises:
            PackageError: it is damaged, or its parameters are not those of the UNet: if one were missing, its
                value would be part of the code.
        """
        with tempfile.TemporaryDirectory(prefix="package-") as directory:
            file = Path(directory) / "package.pt2"
            file.write_bytes(content)
            try:
                # Without the locks for several threads, calls can be recorded in CUDA graphs.
                self._loader: Any = torch._C._aoti.AOTIModelPackageLoader(str(file), "model", True, 1, -1)  # noqa: SLF001
            except RuntimeError as error:
                raise PackageError(f"it cannot be loaded: {error}") from error
        names = {name.removeprefix(_PREFIX) for name in self._loader.get_constant_fqns()}
        if names != parameters:
            differing = ", ".join(sorted(names ^ parameters)[:3])
            raise PackageError(f"its parameters are not the UNet's, for example {differing}")

    def bind(self, parameters: Mapping[str, torch.Tensor]) -> None:
        """See `Package.bind`."""
        named = {f"{_PREFIX}{name}": tensor for name, tensor in parameters.items()}
        inactive, complete, user_managed, copied = False, True, True, False
        self._loader.load_constants(named, inactive, complete, user_managed, copied)

    def run(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """See `Package.run`."""
        (output,) = self._loader.run(list(inputs))
        return output  # type: ignore[no-any-return]
