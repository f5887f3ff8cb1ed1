"""Calls of denoisers, and packages that do what a UNet does."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch

from inference.diffusion.compilation.package import PackageError
from inference.diffusion.compilation.specification import Specification
from inference.diffusion.compilation.trial import Call


def inputs(unet: Any, samples: int = 1, *, size: int = 8) -> dict[str, torch.Tensor]:
    """The inputs of a call, as in `Specification.inputs`."""
    generator = torch.Generator().manual_seed(samples)
    config = unet.config
    tensors = {
        "sample": torch.randn(samples, config.in_channels, size, size, generator=generator),
        "timestep": torch.full((samples,), 500.0),
        "encoder_hidden_states": torch.randn(samples, 77, config.cross_attention_dim, generator=generator),
    }
    if config.addition_embed_type == "text_time":
        time_ids = 6
        pooled = config.projection_class_embeddings_input_dim - time_ids * config.addition_time_embed_dim
        tensors["text_embeds"] = torch.randn(samples, pooled, generator=generator)
        tensors["time_ids"] = 64 * torch.rand(samples, time_ids, generator=generator)
    return tensors


def call(denoiser: Any, tensors: Mapping[str, torch.Tensor], **arguments: Any) -> torch.Tensor:
    """The result of a denoiser for `inputs`, called as by the denoising loop."""
    added = {name: tensors[name] for name in ("time_ids", "text_embeds") if name in tensors}
    with torch.inference_mode():
        output: torch.Tensor = denoiser(
            tensors["sample"],
            tensors["timestep"],
            encoder_hidden_states=tensors["encoder_hidden_states"],
            added_cond_kwargs=added or None,
            return_dict=False,
            **arguments,
        )[0]
    return output


class FakePackage:
    """Code that computes what a UNet does, with the parameters that it is bound to.

    Attributes:
        runs: so far.
        factor: of the result; not 1 for wrong code.
    """

    def __init__(self, unet: Any, *, factor: float = 1) -> None:
        self._unet = deepcopy(unet)
        self._parameters: Mapping[str, torch.Tensor] = {}
        self.runs = 0
        self.factor = factor

    def bind(self, parameters: Mapping[str, torch.Tensor]) -> None:
        """See `Package.bind`: the addresses are those of this moment."""
        self._parameters = {name: tensor.detach() for name, tensor in parameters.items()}

    def run(self, tensors: Sequence[torch.Tensor]) -> torch.Tensor:
        """See `Package.run`."""
        self.runs += 1
        sample, timestep, prompt = tensors
        assert sample.is_contiguous()
        arguments = {"encoder_hidden_states": prompt, "return_dict": False}
        output: torch.Tensor = torch.func.functional_call(
            self._unet, dict(self._parameters), (sample, timestep), arguments
        )[0]
        return output * self.factor


class FakePackages:
    """Loads fake packages of a UNet that is plain at first.

    Attributes:
        loaded: by specification.
        factor: of further packages.
    """

    def __init__(self, unet: Any) -> None:
        self._unet = deepcopy(unet)
        self.loaded: dict[Specification, FakePackage] = {}
        self.factor = 1.0

    def load(self, content: bytes, specification: Specification) -> FakePackage:
        """See `inference.diffusion.compilation.packages.load_package`."""
        if content == b"damaged":
            raise PackageError("it is damaged")
        self.loaded[specification] = FakePackage(self._unet, factor=self.factor)
        return self.loaded[specification]


class FakeClock:
    """Times calls, every second of which is compiled.

    Attributes:
        compiled_s: seconds of a compiled call; an eager one takes 1.
    """

    def __init__(self, compiled_s: float = 0.5) -> None:
        self.compiled_s = compiled_s
        self._calls = 0

    def measure(self, timed: Call) -> tuple[torch.Tensor, float]:
        """See `inference.diffusion.compilation.trial.measure`."""
        self._calls += 1
        return timed(), 1.0 if self._calls % 2 else self.compiled_s
