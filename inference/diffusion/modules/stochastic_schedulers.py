"""Samplers of k-diffusion that diffusers lacks or has otherwise: DPM++ SDE, DPM++ 2S a and DPM++ 3M SDE.

They solve the same equations as DPM-Solver++ (Lu et al. 2022, arXiv 2211.01095) over noise levels, with all
of the noise of the reverse process (eta 1). A sample is the image with noise of standard deviation sigma
added, as in `EulerDiscreteScheduler`, whose noise schedules they share.
"""

import math
from itertools import pairwise
from typing import Any

import torch
from diffusers import EulerDiscreteScheduler
from diffusers.utils.torch_utils import randn_tensor

_Noise = torch.Generator | None


class _StochasticScheduler(EulerDiscreteScheduler):  # type: ignore[misc]
    """The part that the solvers have in common: an update in fp32 from the predicted image."""

    sigmas: torch.Tensor
    timesteps: torch.Tensor

    def set_timesteps(self, num_inference_steps: int, device: Any = None) -> None:
        """Sets the timesteps and noise levels of all evaluations, and forgets the previous ones."""
        super().set_timesteps(num_inference_steps, device)

    def step(
        self,
        model_output: torch.Tensor,
        timestep: torch.Tensor,
        sample: torch.Tensor,
        generator: _Noise = None,
        *,
        return_dict: bool = True,
    ) -> tuple[torch.Tensor]:
        """The sample at the noise level of the next evaluation, as a tuple whatever `return_dict` is."""
        del return_dict
        if self.step_index is None:
            self._init_step_index(timestep)
        sigma = float(self.sigmas[self.step_index])
        image = self._predicted_image(model_output.float(), sample.float(), sigma)
        updated = self._update(sample.float(), image, self.step_index, generator)
        self._step_index += 1
        return (updated.to(model_output.dtype),)

    def _predicted_image(self, output: torch.Tensor, sample: torch.Tensor, sigma: float) -> torch.Tensor:
        match self.config.prediction_type:
            case "sample":
                return output
            case "v_prediction":
                return sample / (sigma**2 + 1) - output * sigma / math.hypot(sigma, 1)
            case _:
                return sample - sigma * output

    def _update(
        self, sample: torch.Tensor, image: torch.Tensor, index: int, generator: _Noise
    ) -> torch.Tensor:
        raise NotImplementedError


class _TwoStageScheduler(_StochasticScheduler):
    """A solver that evaluates each step but the last at its begin and at a noise level within it."""

    order = 2

    def set_timesteps(self, num_inference_steps: int, device: Any = None) -> None:
        """See `_StochasticScheduler.set_timesteps`."""
        super().set_timesteps(num_inference_steps, device)
        levels = [float(each) for each in self.sigmas]
        log_sigmas = (((1 - self.alphas_cumprod) / self.alphas_cumprod) ** 0.5).log().numpy()
        sigmas, timesteps = levels[:1], [float(self.timesteps[0])]
        for index, (begin, end) in enumerate(pairwise(levels[:-1])):
            middle = self._middle(begin, end)
            sigmas += [middle, end]
            within = float(self._sigma_to_t(torch.tensor(middle).numpy(), log_sigmas))
            timesteps += [within, float(self.timesteps[index + 1])]
        self.sigmas = torch.tensor([*sigmas, 0.0])
        self.timesteps = torch.tensor(timesteps)
        self._begin: tuple[torch.Tensor, torch.Tensor] | None = None

    def _middle(self, begin: float, end: float) -> float:
        raise NotImplementedError


class DPMPlusPlusSDEScheduler(_TwoStageScheduler):
    """DPM++ SDE: an exponential integrator of second order, each of whose stages adds its own noise.

    The noise of the stages belongs to one Brownian path over the noise levels, as in k-diffusion.
    """

    def _middle(self, begin: float, end: float) -> float:
        return math.sqrt(begin * end)

    def _update(
        self, sample: torch.Tensor, image: torch.Tensor, index: int, generator: _Noise
    ) -> torch.Tensor:
        if index == len(self.timesteps) - 1:
            return image
        noise = randn_tensor(sample.shape, generator=generator, device=sample.device)
        if index % 2 == 0:
            self._begin = sample, noise
            begin, end = (float(each) for each in self.sigmas[index : index + 2])
            return _ancestral_step(sample, image, noise, begin, end)
        if self._begin is None:
            raise RuntimeError("a step was begun in its middle")
        start, first_noise = self._begin
        begin, middle, end = (float(each) for each in self.sigmas[index - 1 : index + 2])
        path = first_noise * math.sqrt(begin - middle) + noise * math.sqrt(middle - end)
        return _ancestral_step(start, image, path / math.sqrt(begin - end), begin, end)


class DPMPlusPlus2SAncestralScheduler(_TwoStageScheduler):
    """DPM++ 2S a: DPM-Solver++(2S) down to a lower noise level than the next, to which noise is added."""

    def _middle(self, begin: float, end: float) -> float:
        return math.sqrt(begin * _ancestral(begin, end)[0])

    def _update(
        self, sample: torch.Tensor, image: torch.Tensor, index: int, generator: _Noise
    ) -> torch.Tensor:
        if index == len(self.timesteps) - 1:
            return image
        if index % 2 == 0:
            self._begin = sample, image
            begin, middle = (float(each) for each in self.sigmas[index : index + 2])
            return _interpolate(sample, image, middle / begin)
        if self._begin is None:
            raise RuntimeError("a step was begun in its middle")
        begin, _, end = (float(each) for each in self.sigmas[index - 1 : index + 2])
        noise = randn_tensor(sample.shape, generator=generator, device=sample.device)
        return _ancestral_step(self._begin[0], image, noise, begin, end)


class DPMPlusPlus3MSDEScheduler(_StochasticScheduler):
    """DPM++ 3M SDE: a multistep exponential integrator of third order with noise.

    The third-order term is k-diffusion's; that of diffusers' `DPMSolverMultistepScheduler` does not vanish
    with the length of the step.
    """

    def set_timesteps(self, num_inference_steps: int, device: Any = None) -> None:
        """See `_StochasticScheduler.set_timesteps`."""
        super().set_timesteps(num_inference_steps, device)
        self._earlier: list[tuple[torch.Tensor, float]] = []

    def _update(
        self, sample: torch.Tensor, image: torch.Tensor, index: int, generator: _Noise
    ) -> torch.Tensor:
        begin, end = (float(each) for each in self.sigmas[index : index + 2])
        if end == 0:
            return image
        step = math.log(begin / end)
        shares = _multistep_shares(step, [each_step / step for _, each_step in self._earlier])
        updated = math.exp(-2 * step) * sample
        for share, each in zip(shares, (image, *(each for each, _ in self._earlier)), strict=True):
            updated = updated + share * each
        self._earlier = [(image, step), *self._earlier[:1]]
        noise = randn_tensor(sample.shape, generator=generator, device=sample.device)
        added: torch.Tensor = noise * (end * math.sqrt(-math.expm1(-2 * step)))
        return updated + added


def _multistep_shares(step: float, ratios: list[float]) -> list[float]:
    """The shares of the predicted image and of up to two earlier ones in DPM++ 3M SDE's update.

    Args:
        step: its length in the logarithm of the noise level.
        ratios: of the lengths of the steps before to it, the last first.
    """
    first = -math.expm1(-2 * step)
    second = math.expm1(-2 * step) / (2 * step) + 1
    if not ratios:
        return [first]
    ratio = ratios[0]
    slope = second / ratio
    if len(ratios) == 1:
        return [first + slope, -slope]
    older = ratios[1]
    third = second / (2 * step) - 0.5
    change = (second * ratio - third) / (ratio + older)
    return [
        first + slope + change / ratio,
        -slope - change / ratio - change / older,
        change / older,
    ]


def _ancestral(begin: float, end: float) -> tuple[float, float]:
    """The noise level to go down to, and the deviation of the noise to add there; together they are `end`."""
    up = math.sqrt(end**2 * (begin**2 - end**2) / begin**2)
    return end**2 / begin, up


def _ancestral_step(
    sample: torch.Tensor, image: torch.Tensor, noise: torch.Tensor, begin: float, end: float
) -> torch.Tensor:
    down, up = _ancestral(begin, end)
    return _interpolate(sample, image, down / begin) + noise * up


def _interpolate(sample: torch.Tensor, image: torch.Tensor, share: float) -> torch.Tensor:
    """The sample where the noise is left to this share: exact while the predicted image is constant."""
    return share * sample + (1 - share) * image
