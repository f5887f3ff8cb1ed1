"""The models and the samplers as the API shows them."""

from typing import Literal, Self

from pydantic import BaseModel, Field

from contract.model import ModelDeclaration
from contract.samplers import SAMPLERS
from jobs.catalog import ModelCatalog


class ModelView(ModelDeclaration):
    """A deployed model with its defaults and limits."""

    is_default: bool = Field(description="True for the model of requests without `model`.")
    id: str = Field(description="The name, as OpenAI's clients read it.")
    object: Literal["model"] = "model"
    created: int = Field(default=0, description="Always 0: the time is unknown.")
    owned_by: str = Field(default="quick-kit", description="Always `quick-kit`.")


class ModelList(BaseModel):
    """Every deployed model. The form includes the one of OpenAI."""

    object: Literal["list"] = "list"
    data: tuple[ModelView, ...]

    @classmethod
    def of(cls, catalog: ModelCatalog) -> Self:
        """Creates the view of the catalog."""
        return cls(
            data=tuple(
                ModelView(**dict(model), id=model.name, is_default=model == catalog.default)
                for model in catalog
            )
        )


class SamplerView(BaseModel):
    """A sampler."""

    name: str
    label: str = Field(description="Display name.")
    aliases: tuple[str, ...] = Field(description="Other accepted names.")
    schedule_types: tuple[str, ...] = Field(
        description="Accepted values of `scheduler`; each may also follow the name: `dpmpp_2m_karras`."
    )


class SamplerList(BaseModel):
    """Every sampler."""

    data: tuple[SamplerView, ...]

    @classmethod
    def all(cls) -> Self:
        """Creates the view of the contract's samplers."""
        return cls(
            data=tuple(
                SamplerView(name=s.name, label=s.label, aliases=s.aliases, schedule_types=s.schedule_types)
                for s in SAMPLERS
            )
        )
