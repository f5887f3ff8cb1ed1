"""What a generation changes of a model: the adapters that it names, on the device."""

from dataclasses import dataclass
from typing import Any

from contract.adapters import CONTROLNET, LORA, VAE
from contract.generation import Generation
from inference.diffusion.adapters.adapter_files import blaming
from inference.diffusion.adapters.controlnets import Control, ControlNets
from inference.diffusion.adapters.device_cache import Residents
from inference.diffusion.adapters.loras import Acting, LoadedLora, Loras
from inference.diffusion.adapters.vaes import LoadedVae, Vaes
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.engine.interface import Inputs


@dataclass(frozen=True)
class Adaptation:
    """A generation's adapters, which stay on the device for as long as this object is held.

    Attributes:
        loras: in the order in which they act.
        weights: of the LoRAs.
        controls: what guides each image.
        vae: what takes the place of the model's own; None leaves it.
    """

    loras: tuple[LoadedLora, ...] = ()
    weights: tuple[float, ...] = ()
    controls: tuple[Control, ...] = ()
    vae: LoadedVae | None = None

    @property
    def acting(self) -> Acting:
        """The LoRAs by their ids, with their weights."""
        return tuple((lora.id, weight) for lora, weight in zip(self.loras, self.weights, strict=True))

    @property
    def controlnets(self) -> tuple[str, ...]:
        """The ControlNets by their ids."""
        return tuple(control.controlnet.id for control in self.controls)

    def autoencoder(self, own: Autoencoder) -> Autoencoder:
        """The autoencoder to use with a model that has this one."""
        return own if self.vae is None else self.vae.autoencoder


class ResidentAdapters:
    """Puts adapters on the device beside a model, and keeps those that are used often."""

    def __init__(self, pipeline: Any) -> None:
        """Takes the model's pipeline."""
        residents = Residents()
        self._loras = Loras(pipeline, residents)
        self._controlnets = ControlNets(pipeline, residents)
        self._vaes = Vaes(pipeline, residents)

    def adapt(self, generation: Generation, inputs: Inputs) -> Adaptation:
        """Loads a generation's adapters.

        Raises:
            AdapterUnusableError: one is damaged, or does not fit the model.
        """
        files = inputs.adapters
        loras, controls, vae = [], [], None
        for index, lora in enumerate(files.loras):
            with blaming(lora, LORA, f"#/loras/{index}/name"):
                loras.append(self._loras.load(lora))
        asked = zip(files.controlnets, generation.controlnets, inputs.controls, strict=True)
        for index, (file, settings, picture) in enumerate(asked):
            with blaming(file, CONTROLNET, f"#/controlnets/{index}/type"):
                controls.append(self._controlnets.control(file, settings, picture))
        if files.vae is not None:
            with blaming(files.vae, VAE, "#/vae"):
                vae = self._vaes.load(files.vae)
        weights = tuple(lora.weight for lora in generation.loras)
        return Adaptation(tuple(loras), weights, tuple(controls), vae)

    def activate(self, acting: Acting) -> None:
        """Lets these LoRAs act on the UNet and the text encoders, and no others."""
        self._loras.activate(acting)
