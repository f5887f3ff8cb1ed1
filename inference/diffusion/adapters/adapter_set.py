"""The adapters of one generation, loaded onto the device."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from contract.adapters import CONTROLNET, LORA, VAE
from contract.generation import Generation, InvalidRequestError
from contract.problem import FieldError
from inference.diffusion.adapters.adapter_files import adapter_errors
from inference.diffusion.adapters.bundled_embeddings import BundledEmbeddings
from inference.diffusion.adapters.combined_loras import can_combine
from inference.diffusion.adapters.controlnets import ControlNetInput, ControlNets
from inference.diffusion.adapters.device_cache import DeviceCache
from inference.diffusion.adapters.loaded_lora import LoadedLora, LoraWeights
from inference.diffusion.adapters.loras import Loras
from inference.diffusion.adapters.vaes import LoadedVae, Vaes
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.engine.interface import Inputs
from inference.models.absent_vae import AbsentVae


@dataclass(frozen=True)
class AdapterSet:
    """A generation's adapters, which stay loaded as long as this object is referenced.

    Attributes:
        loras: in the order of the request.
        weights: of the LoRAs.
        controlnet_inputs: the ControlNets and their conditioning images.
        vae: replaces the model's own; None keeps it.
        bundled_embeddings: the textual inversions of the LoRA files that have some.
        mixes_loras: whether rows with these LoRAs share forward passes with rows that have others or none.
        merges_loras: whether plain LoRAs are merged into the UNet's weights, and there are some.
    """

    loras: tuple[LoadedLora, ...] = ()
    weights: tuple[float, ...] = ()
    controlnet_inputs: tuple[ControlNetInput, ...] = ()
    vae: LoadedVae | None = None
    bundled_embeddings: tuple[BundledEmbeddings, ...] = ()
    mixes_loras: bool = False
    merges_loras: bool = False

    @property
    def lora_weights(self) -> LoraWeights:
        """The LoRAs' ids and weights."""
        return tuple((lora.id, weight) for lora, weight in zip(self.loras, self.weights, strict=True))

    @property
    def batch_loras(self) -> LoraWeights:
        """The LoRAs that the rows of a UNet forward pass have in common: none if each can have its own."""
        return () if self.mixes_loras else self.lora_weights

    @property
    def controlnet_ids(self) -> tuple[str, ...]:
        """The ControlNets' ids."""
        return tuple(each.controlnet.id for each in self.controlnet_inputs)

    def autoencoder(self, default: Autoencoder) -> Autoencoder:
        """The autoencoder of the generation's VAE, or the model's own."""
        return default if self.vae is None else self.vae.autoencoder


class AdapterLoader:
    """Loads adapters for one model, and caches them on its device."""

    def __init__(self, pipeline: Any, *, mix_loras: bool = False, merge_loras: bool = False) -> None:
        """Takes the model's pipeline.

        Args:
            pipeline: the pipeline.
            mix_loras: let rows with different LoRAs share a forward pass, where `can_combine` allows it.
            merge_loras: merge plain LoRAs into the UNet's weights while they are active, as those of other
                types: their forward passes cost nothing more, and round differently. They are not mixed.
        """
        cache = DeviceCache()
        self._loras = Loras(pipeline, cache, merge=merge_loras)
        self._mix_loras = mix_loras
        self._merge_loras = merge_loras
        self._controlnets = ControlNets(pipeline, cache)
        self._vaes = Vaes(pipeline, cache)
        self._missing_vae = (
            f"the model's file has {pipeline.vae.missing}; name one as `vae`, or in the model's `defaults`"
            if isinstance(pipeline.vae, AbsentVae)
            else None
        )

    def load(self, generation: Generation, inputs: Inputs) -> AdapterSet:
        """Loads the adapters that a generation names.

        Raises:
            AdapterUnusableError: one is damaged, or was made for another model.
            InvalidRequestError: the model has no VAE, and the generation names none.
        """
        files = inputs.adapters
        if self._missing_vae is not None and files.vae is None:
            raise InvalidRequestError((FieldError(pointer="#/vae", detail=self._missing_vae),))
        loras, controlnet_inputs, vae = [], [], None
        for index, lora in enumerate(files.loras):
            with adapter_errors(lora, LORA, generation.lora_pointer(index)):
                loras.append(self._loras.load(lora))
        controlnets = zip(files.controlnets, generation.controlnets, inputs.control_images, strict=True)
        for index, (file, settings, image) in enumerate(controlnets):
            with adapter_errors(file, CONTROLNET, f"#/controlnets/{index}/type"):
                controlnet_inputs.append(self._controlnets.load(file, settings, image))
        if files.vae is not None:
            with adapter_errors(files.vae, VAE, "#/vae"):
                vae = self._vaes.load(files.vae)
        weights = tuple(lora.weight for lora in generation.active_loras)
        bundled = tuple(
            BundledEmbeddings(
                file.name, file.path, file.version, generation.lora_pointer(index), lora.embeddings
            )
            for index, (file, lora) in enumerate(zip(files.loras, loras, strict=True))
            if lora.embeddings
        )
        mixes_loras = self._mix_loras and can_combine([lora.unet for lora in loras])
        merges_loras = self._merge_loras and any(lora.unet.deltas for lora in loras)
        return AdapterSet(
            tuple(loras), weights, tuple(controlnet_inputs), vae, bundled, mixes_loras, merges_loras
        )

    def activate(self, rows: Sequence[LoraWeights]) -> None:
        """Activates these LoRAs on the UNet.

        If the rows have the same LoRAs, images are those of diffusers to the bit. Otherwise each row equals
        that of a forward pass with its own LoRAs up to rounding: within one unit of the last place a layer.

        Args:
            rows: for each row of the UNet's inputs its LoRAs; one stands for all. Different ones only of sets
                with `mixes_loras`.
        """
        self._loras.activate(rows)

    def activate_on_text_encoders(self, lora_weights: LoraWeights) -> None:
        """Activates exactly these LoRAs on the text encoders."""
        self._loras.activate_on_text_encoders(lora_weights)

    @property
    def unet_state(self) -> Hashable:
        """Identifies the tensors and layers that the UNet computes with.

        Equal values: the same tensors at the same addresses, through the same layers. () for the plain UNet.
        A value that a LoRA was part of does not come back when the LoRA is evicted and loaded again.
        """
        return self._loras.unet_state
