"""The lists of the web UI's API: models, samplers, adapters."""

from collections.abc import Iterable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, RootModel

from contract.model import ModelDeclaration
from contract.samplers import SAMPLERS
from contract.schedule_types import AUTOMATIC, SCHEDULE_TYPES
from jobs.adapters import Adapter
from jobs.compatibility.automatic1111.scripts import CONTROLNET
from jobs.compatibility.automatic1111.upscalers import BUILT_IN

_SCRIPTS = (CONTROLNET, f"{CONTROLNET} m2m")
"""The second one cannot be run: webuiapi recognizes the extension by it, and else repeats the units of a
request in all later ones."""


class _Item(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class WebUiModel(_Item):
    """A model."""

    title: str = Field(description="Name of the model, for `sd_model_checkpoint`.")
    model_name: str
    hash: str | None = None
    sha256: str | None = None
    filename: str
    config: str | None = None


class WebUiModels(RootModel[tuple[WebUiModel, ...]]):
    """All models."""

    @classmethod
    def of(cls, models: Iterable[ModelDeclaration]) -> Self:
        """Creates the view of the models."""
        return cls(
            tuple(WebUiModel(title=each.name, model_name=each.name, filename=each.name) for each in models)
        )


class WebUiSampler(_Item):
    """A sampler."""

    name: str
    aliases: tuple[str, ...]
    options: dict[str, Any] = Field(default={}, description="Always empty.")


class WebUiSamplers(RootModel[tuple[WebUiSampler, ...]]):
    """The samplers, without those whose names include a schedule."""

    @classmethod
    def all(cls) -> Self:
        """Creates the view of the contract's samplers."""
        return cls(
            tuple(
                WebUiSampler(name=each.label, aliases=(each.name, *each.aliases))
                for each in SAMPLERS
                if each.schedule_type is None
            )
        )


class WebUiScheduler(_Item):
    """A noise schedule."""

    name: str
    label: str
    aliases: tuple[str, ...] | None = None
    default_rho: float = -1
    need_inner_model: bool = False


class WebUiSchedulers(RootModel[tuple[WebUiScheduler, ...]]):
    """The noise schedules."""

    @classmethod
    def all(cls) -> Self:
        """Creates the view of the contract's schedule types."""
        types = (
            WebUiScheduler(name=each.name, label=each.label, aliases=each.aliases) for each in SCHEDULE_TYPES
        )
        return cls((WebUiScheduler(name=AUTOMATIC, label=AUTOMATIC.capitalize()), *types))


class WebUiUpscaler(_Item):
    """An upscaler."""

    name: str
    model_name: str | None = None
    model_path: str | None = None
    model_url: str | None = None
    scale: float | None = None


class WebUiUpscalers(RootModel[tuple[WebUiUpscaler, ...]]):
    """The upscalers."""

    @classmethod
    def of(cls, adapters: Iterable[Adapter]) -> Self:
        """Creates the view of the upscaling models and of those that need none."""
        own = (WebUiUpscaler(name=each) for each in BUILT_IN)
        return cls((*own, *(WebUiUpscaler(name=each.name, model_name=each.name) for each in adapters)))


class WebUiVae(_Item):
    """A VAE."""

    model_name: str = Field(description="Name of the VAE, for `sd_vae`.")
    filename: str


class WebUiVaes(RootModel[tuple[WebUiVae, ...]]):
    """The VAEs in the models bucket."""

    @classmethod
    def of(cls, adapters: Iterable[Adapter]) -> Self:
        """Creates the view of the VAEs."""
        return cls(tuple(WebUiVae(model_name=each.name, filename=each.name) for each in adapters))


class WebUiLora(_Item):
    """A LoRA."""

    name: str = Field(description="Name of the LoRA, for `<lora:name:weight>` in prompts.")
    alias: str
    path: str
    metadata: dict[str, Any] = Field(default={}, description="Always empty.")


class WebUiLoras(RootModel[tuple[WebUiLora, ...]]):
    """The LoRAs in the models bucket."""

    @classmethod
    def of(cls, adapters: Iterable[Adapter]) -> Self:
        """Creates the view of the LoRAs."""
        return cls(tuple(WebUiLora(name=each.name, alias=each.name, path=each.name) for each in adapters))


class WebUiScripts(BaseModel):
    """The scripts that run with every request."""

    txt2img: tuple[str, ...] = _SCRIPTS
    img2img: tuple[str, ...] = _SCRIPTS


class WebUiEmbeddings(BaseModel):
    """The textual inversions that prompts name: none."""

    loaded: dict[str, Any] = Field(default={}, description="Always empty.")
    skipped: dict[str, Any] = Field(default={}, description="Always empty.")


class WebUiMemory(BaseModel):
    """The memory of the web UI's computer, which is not known here."""

    ram: dict[str, str] = {"error": "unavailable"}
    cuda: dict[str, str] = {"error": "unavailable"}


class WebUiFlags(BaseModel):
    """The flags of the web UI's command line."""

    api: bool = True


class EmptyList(RootModel[tuple[str, ...]]):
    """An empty list."""


class Nothing(RootModel[None]):
    """No answer: null."""
