"""The engine on Hugging Face diffusers. The one place that imports torch."""

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import (
    DiffusionPipeline,
    SchedulerMixin,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
)
from PIL import Image

from inference.contract.generation import Generation
from inference.contract.samplers import find_sampler
from inference.engine import OnStep, OutOfMemoryError
from inference.logs import adopt

_IMAGE_TO_IMAGE: dict[type[DiffusionPipeline], type[DiffusionPipeline]] = {
    StableDiffusionPipeline: StableDiffusionImg2ImgPipeline,
    StableDiffusionXLPipeline: StableDiffusionXLImg2ImgPipeline,
}


class UnsupportedModelError(RuntimeError):
    """The directory holds a pipeline that this engine does not draw with."""


class DiffusersEngine:
    """Draws with one resident set of components, whatever the task.

    A pipeline is assembled around them for each generation, with a scheduler of its own, so that no
    generation can leave anything behind for the next.
    """

    def __init__(self, pipeline: DiffusionPipeline) -> None:
        """Takes over a loaded text-to-image pipeline.

        Raises:
            UnsupportedModelError: the pipeline is none of those that the engine knows.
        """
        self._text_to_image = type(pipeline)
        if self._text_to_image not in _IMAGE_TO_IMAGE:
            known = ", ".join(cls.__name__ for cls in _IMAGE_TO_IMAGE)
            raise UnsupportedModelError(
                f"{self._text_to_image.__name__} is not supported; use one of {known}"
            )
        self._components: dict[str, Any] = pipeline.components
        self._settings = {k: v for k, v in pipeline.config.items() if k not in self._components}

    @classmethod
    def load(cls, directory: Path) -> "DiffusersEngine":
        """The model in a diffusers directory, on the GPU if there is one.

        Of a component that has fp16 weights, these are loaded.

        Raises:
            OSError: files are missing or damaged.
            UnsupportedModelError: the pipeline is none of those that the engine knows.
        """
        _quieten_libraries()
        device, dtype = _placement()
        pipeline = DiffusionPipeline.from_pretrained(
            directory,
            dtype=dtype,
            variant="fp16" if any(directory.glob("*/*.fp16*.safetensors")) else None,
            local_files_only=True,
            use_safetensors=True,
        )
        if device.type == "cuda":
            pipeline.unet.to(memory_format=torch.channels_last)
            pipeline.vae.to(memory_format=torch.channels_last)
        return cls(pipeline.to(device))

    @property
    def versions(self) -> Mapping[str, str]:
        """Library name to version."""
        return {
            "diffusers": diffusers.__version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        }

    def generate(
        self, generation: Generation, input_image: Image.Image | None, on_step: OnStep
    ) -> list[Image.Image]:
        """See `inference.engine.Engine.generate`."""
        pipeline, arguments = self._assemble(generation, input_image)
        pipeline.set_progress_bar_config(disable=True)

        def report(pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            on_step(step + 1, pipe.num_timesteps)
            return tensors

        try:
            output = pipeline(
                prompt=generation.prompt,
                negative_prompt=generation.negative_prompt,
                num_inference_steps=generation.steps,
                guidance_scale=generation.guidance_scale,
                num_images_per_prompt=generation.count,
                generator=[torch.Generator("cpu").manual_seed(seed) for seed in generation.seeds],
                callback_on_step_end=report,
                **arguments,
            )
        except torch.OutOfMemoryError as error:
            raise OutOfMemoryError(
                f"{generation.count} image(s) of this size do not fit the accelerator's memory; "
                "ask for fewer or smaller ones."
            ) from error
        images: list[Image.Image] = output.images
        return images

    def _assemble(
        self, generation: Generation, input_image: Image.Image | None
    ) -> tuple[DiffusionPipeline, dict[str, Any]]:
        if input_image is None:
            size = {"width": generation.width, "height": generation.height}
            return self._pipeline(self._text_to_image, generation.sampler), size
        arguments = {"image": input_image, "strength": generation.strength}
        return self._pipeline(_IMAGE_TO_IMAGE[self._text_to_image], generation.sampler), arguments

    def _pipeline(self, cls: type[DiffusionPipeline], sampler: str) -> DiffusionPipeline:
        components = {**self._components, "scheduler": self._scheduler(sampler)}
        settings = {
            name: self._settings[name] for name in signature(cls).parameters if name in self._settings
        }
        return cls(**components, **settings)

    def _scheduler(self, name: str) -> SchedulerMixin:
        sampler = find_sampler(name)
        cls = getattr(diffusers, sampler.scheduler)
        return cls.from_config(self._components["scheduler"].config, **sampler.options)


def _quieten_libraries() -> None:
    adopt("diffusers", "transformers")
    for library in (diffusers.utils.logging, transformers.utils.logging):
        library.disable_progress_bar()


def _placement() -> tuple[torch.device, torch.dtype]:
    if not torch.cuda.is_available():
        return torch.device("cpu"), torch.float32
    native_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.device("cuda"), torch.bfloat16 if native_bfloat16 else torch.float16
