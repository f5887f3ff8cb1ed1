"""Models under Replicate's names: `owner/name`, and versions that are hashes."""

import hashlib
from datetime import UTC, datetime
from functools import cache
from typing import Any, Self

from pydantic import BaseModel, Field

from contract.model import ModelDeclaration
from contract.problem import MAX_ECHOED_CHARACTERS, FieldError
from jobs.catalog import ModelCatalog
from jobs.compatibility.replicate.input import PredictionInput
from jobs.errors import ModelNotFoundError

OWNER = "quick-kit"
"""The owner of every model; requests may name any other one."""

_COG_VERSION = "0.16.0"
"""Clients stream the lists of versions before 0.3.9, and of later ones if the schema says so."""

_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_REFERENCE = "#/components/schemas/{model}"
_OUTPUT = {"type": "array", "items": {"type": "string", "format": "uri"}, "title": "Output"}


def version_of(name: str) -> str:
    """The version of a model: a hash of its name."""
    return hashlib.sha256(f"model:{name}".encode()).hexdigest()


def find_model(catalog: ModelCatalog, name: str, *, pointer: str = "#/model") -> ModelDeclaration:
    """The model with a name, which may follow an owner: `demo`, `anyone/demo`.

    Raises:
        ModelNotFoundError: there is none.
    """
    return _find(catalog, {model.name: model for model in catalog}, name.rpartition("/")[2], pointer)


def find_version(catalog: ModelCatalog, version: str) -> ModelDeclaration:
    """The model of a version: a hash or the model's name, each of which may follow `owner/name:`.

    Raises:
        ModelNotFoundError: there is none.
    """
    by_version = {each: model for model in catalog for each in (model.name, version_of(model.name))}
    name, colon, identifier = version.rpartition("/")[2].partition(":")
    if not colon:
        return _find(catalog, by_version, name, "#/version")
    model = find_model(catalog, name, pointer="#/version")
    own = {each: found for each, found in by_version.items() if found == model}
    return _find(catalog, own, identifier, "#/version")


def _find(
    catalog: ModelCatalog, models: dict[str, ModelDeclaration], name: str, pointer: str
) -> ModelDeclaration:
    try:
        return models[name]
    except KeyError:
        error = ModelNotFoundError(name[:MAX_ECHOED_CHARACTERS], [model.name for model in catalog])
        error.errors = (FieldError(pointer=pointer, detail=error.detail),)
        raise error from None


class ReplicateVersion(BaseModel):
    """A version of a model, in Replicate's form. Every model has one."""

    id: str = Field(description="A hash of the model's name.")
    created_at: datetime = Field(description="Always 1970: the time is unknown.")
    cog_version: str
    openapi_schema: dict[str, Any] = Field(description="The schemas of the input and the output.")

    @classmethod
    def of(cls, model: ModelDeclaration) -> Self:
        """Creates the view of a model's version."""
        return cls(
            id=version_of(model.name),
            created_at=_UNKNOWN_TIME,
            cog_version=_COG_VERSION,
            openapi_schema={"components": {"schemas": _schemas()}},
        )


@cache
def _schemas() -> dict[str, Any]:
    schema = PredictionInput.model_json_schema(ref_template=_REFERENCE)
    return {**schema.pop("$defs"), "Input": schema, "Output": _OUTPUT}


class ReplicateVersionPage(BaseModel):
    """The versions of a model, in Replicate's form."""

    previous: None = None
    next: None = None
    results: tuple[ReplicateVersion, ...]


class ReplicateModel(BaseModel):
    """A model, in Replicate's form."""

    url: str
    owner: str = Field(description="As requested; `quick-kit` in lists.")
    name: str
    description: str | None = None
    visibility: str = Field(default="private", description="Always `private`.")
    is_official: bool = False
    github_url: str | None = None
    paper_url: str | None = None
    license_url: str | None = None
    run_count: int = Field(default=0, description="Not counted.")
    cover_image_url: str | None = None
    default_example: None = None
    latest_version: ReplicateVersion

    @classmethod
    def of(cls, model: ModelDeclaration, *, address: str, owner: str = OWNER) -> Self:
        """Creates the view of a model.

        Args:
            model: the model.
            address: the URL of this API.
            owner: as requested.
        """
        return cls(
            url=f"{address}/models/{owner}/{model.name}",
            owner=owner,
            name=model.name,
            latest_version=ReplicateVersion.of(model),
        )


class ReplicateModelPage(BaseModel):
    """All models, in Replicate's form."""

    previous: None = None
    next: None = None
    results: tuple[ReplicateModel, ...]
