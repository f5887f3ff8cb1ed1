"""What lies beside a model's weights and says what they are."""

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contract.family import Family
from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from contract.request import ModelName
from contract.source import Commit

MANIFEST = "model.json"
"""Its name, in the model's directory."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="In hexadecimal.")]


def _check_relative(path: str) -> str:
    steps = path.split("/")
    if PurePosixPath(path).is_absolute() or not {"", ".", ".."}.isdisjoint(steps) or "\\" in path:
        raise ValueError("must be a path inside the model's directory")
    return path


class ManifestFile(BaseModel):
    """One of the model's files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, AfterValidator(_check_relative), Field(description="Inside the directory.")]
    size: int = Field(ge=0, description="Bytes.")
    sha256: Sha256


class Original(BaseModel):
    """What a model's files were made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Literal["huggingface", "directory", "archive", "single_file"]
    source: str = Field(description="Where it was found: a repository's id, an S3 URI or a file's name.")
    commit: Commit | None = Field(default=None, description="Of a repository of the hub.")
    sha256: Sha256 = Field(
        description="Of the file; of a directory, that of its files' `SHA-256`, two spaces and path, by line."
    )

    @property
    def revision(self) -> str:
        """What tells these weights from all others, as a result document reports it."""
        return self.commit or self.sha256


class ModelManifest(BaseModel):
    """The manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Family
    defaults: ModelDefaults | None = Field(
        default=None, description="What is left out, or all of it, is the family's."
    )
    limits: ModelLimits | None = Field(
        default=None, description="What is left out, or all of it, is the family's."
    )
    original: Original | None = None
    files: tuple[ManifestFile, ...] = ()

    def declaration(self, name: ModelName) -> ModelDeclaration:
        """What the model declares of itself, by this name.

        Raises:
            ValidationError: its defaults are outside its limits.
        """
        family = self.family
        defaults = self.defaults.model_dump(exclude_unset=True) if self.defaults else {}
        limits = self.limits.model_dump(exclude_unset=True) if self.limits else {}
        return ModelDeclaration(
            name=name,
            defaults=family.defaults.model_copy(update=defaults),
            limits=family.limits.model_copy(update=limits),
        )
