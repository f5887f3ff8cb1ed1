"""The UNet as a denoiser that uses compiled code where it is ready."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any
from weakref import finalize

import torch

from inference.diffusion.compilation.compiler_process import CompilerProcess
from inference.diffusion.compilation.package import Package
from inference.diffusion.compilation.packages import Packages
from inference.diffusion.compilation.specification import Specification
from inference.diffusion.compilation.trial import MeasureCall, Trial, Verdict, measure
from inference.diffusion.compilation.weights import CurrentWeights
from inference.engine.interface import CompileCache

_MAX_SHAPES = 64
"""Input shapes to compile for: a model's few image sizes, times the batch sizes."""

_ARGUMENTS = {"encoder_hidden_states", "added_cond_kwargs", "return_dict"}
_EAGER = "eager"


def compiled_unet(unet: Any, cache: CompileCache, *, unet_state: Callable[[], Hashable]) -> "CompiledUNet":
    """A UNet that is compiled in a process of its own, which ends with the object.

    Args:
        unet: the module to compile, without active adapters.
        cache: stores packages for other containers.
        unet_state: see `CompiledUNet`.
    """
    compiler = CompilerProcess()
    compiled = CompiledUNet(unet, Packages(cache, compiler.compile), unet_state=unet_state)
    finalize(compiled, compiler.close)
    return compiled


class CompiledUNet:
    """A UNet that runs eagerly until its code for the shape of a call is ready and has passed its trial.

    Calls with other arguments than shape and prompt, such as the residuals of ControlNets, and calls while
    layers are adapted always run eagerly. Compiled code computes with the parameters that the UNet has at the
    moment. It rounds differently: images differ from eager ones in their last bits. Only one thread may use
    the object.
    """

    def __init__(
        self,
        unet: Any,
        packages: Packages,
        *,
        unet_state: Callable[[], Hashable] = tuple,
        measure_call: MeasureCall = measure,
    ) -> None:
        """Starts eagerly.

        Args:
            unet: the module to compile, without active adapters.
            packages: compiled code for it.
            unet_state: equal values mean that the UNet computes with the same tensors at the same addresses,
                through the same layers.
            measure_call: times calls in trials.
        """
        self._unet = unet
        self._packages = packages
        self._weights = CurrentWeights(unet, unet_state)
        self._measure = measure_call
        self._variants: dict[Hashable, _Variant] = {}

    def __call__(self, sample: torch.Tensor, timesteps: torch.Tensor, **arguments: Any) -> Any:
        """The UNet's output; see `diffusers.UNet2DConditionModel.forward`."""
        variant = self._variant(sample, timesteps, arguments)
        if variant is None:
            return self._unet(sample, timesteps, **arguments)
        package = self._packages.get(variant.specification)
        if package is None:
            self._packages.request(variant.specification)
            return self._unet(sample, timesteps, **arguments)
        verdict = variant.trial.verdict
        if verdict is Verdict.EAGER:
            return self._unet(sample, timesteps, **arguments)

        def compiled() -> torch.Tensor:
            inputs = [each.contiguous() for each in _inputs(sample, timesteps, arguments).values()]
            return variant.run(package, self._weights, inputs)

        if verdict is Verdict.COMPILED:
            return (compiled(),)
        return (variant.trial.run(lambda: self._unet(sample, timesteps, **arguments)[0], compiled),)

    def code(self, sample: torch.Tensor, timesteps: torch.Tensor, **arguments: Any) -> Hashable:
        """Identifies the code that a call with these arguments would run; another value during each trial."""
        variant = self._variant(sample, timesteps, arguments)
        if variant is None or self._packages.get(variant.specification) is None:
            return _EAGER
        verdict = variant.trial.verdict
        return variant.trial.calls if verdict is Verdict.OPEN else verdict.value

    def _variant(
        self, sample: torch.Tensor, timesteps: torch.Tensor, arguments: dict[str, Any]
    ) -> "_Variant | None":
        """The variant for the shape of a call; None if such calls are not compiled."""
        if not arguments.keys() <= _ARGUMENTS or arguments["return_dict"] or not self._weights.update():
            return None
        inputs = _inputs(sample, timesteps, arguments)
        shape = tuple((name, tuple(each.shape), each.dtype) for name, each in inputs.items())
        variant = self._variants.get(shape)
        if variant is None and len(self._variants) < _MAX_SHAPES:
            contiguous = {name: each.contiguous() for name, each in inputs.items()}
            specification = Specification.of(self._unet, self._weights.layouts, contiguous)
            variant = self._variants[shape] = _Variant(specification, self._measure)
        return variant


class _Variant:
    """The code for one shape.

    Attributes:
        specification: of the code.
        trial: decides whether the code is used.
    """

    def __init__(self, specification: Specification, measure_call: MeasureCall) -> None:
        self.specification = specification
        self.trial = Trial(specification.shape, measure_call)
        self._bound_version: int | None = None

    def run(self, package: Package, weights: CurrentWeights, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """The package's output with the present weights."""
        if self._bound_version != weights.version:
            package.bind(weights.views)
            self._bound_version = weights.version
        return package.run(inputs)


def _inputs(
    sample: torch.Tensor, timesteps: torch.Tensor, arguments: dict[str, Any]
) -> dict[str, torch.Tensor]:
    """The tensors of a call, in the order of `Specification.inputs`."""
    added: dict[str, torch.Tensor] = arguments["added_cond_kwargs"] or {}
    prompts: torch.Tensor = arguments["encoder_hidden_states"]
    return {"sample": sample, "timestep": timesteps, "encoder_hidden_states": prompts} | dict(
        sorted(added.items())
    )
