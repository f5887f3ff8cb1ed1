"""The manifest of a model, `model.json` in its directory."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contract.family import Family
from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from contract.request import ModelName, TimestepSpacing
from contract.source import Commit

MANIFEST = "model.json"
"""File name of the manifest in the model's directory."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 in hexadecimal.")]


def _check_relative(path: str) -> str:
    parts = path.split("/")
    if PurePosixPath(path).is_absolute() or not {"", ".", ".."}.isdisjoint(parts) or "\\" in path:
        raise ValueError("must be a relative path inside the model's directory")
    return path


class ManifestFile(BaseModel):
    """A file of the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[
        str, AfterValidator(_check_relative), Field(description="Path relative to the model's directory.")
    ]
    size: int = Field(ge=0, description="Bytes.")
    sha256: Sha256


class OriginalModel(BaseModel):
    """The source that a model was converted from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Literal["huggingface", "directory", "archive", "single_file"]
    source: str = Field(description="A repository id, an S3 URI or a file name.")
    commit: Commit | None = Field(default=None, description="The commit of a Hugging Face repository.")
    sha256: Sha256 = Field(
        description=(
            "The file's SHA-256; for a directory, the SHA-256 of a text with a line for each file: its "
            "SHA-256, two spaces, its path."
        )
    )

    @property
    def revision(self) -> str:
        """Identifies the weights: the commit, or else the SHA-256. Result documents report it."""
        return self.commit or self.sha256


class SchedulerOverrides(BaseModel):
    """Values that a file does not say, or says wrongly; they replace those of scheduler_config.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prediction_type: Literal["epsilon", "v_prediction", "sample"] | None = Field(
        default=None, description="What the UNet predicts."
    )
    timestep_spacing: TimestepSpacing | None = None
    rescale_betas_zero_snr: bool | None = Field(
        default=None, description="Whether the model was trained with zero terminal SNR."
    )

    @property
    def options(self) -> dict[str, Any]:
        """The values that are given, by their names in diffusers."""
        return self.model_dump(exclude_none=True)


class ModelManifest(BaseModel):
    """Content of a model's `model.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Family
    defaults: ModelDefaults | None = Field(
        default=None, description="Request defaults; omitted values are those of the family."
    )
    limits: ModelLimits | None = Field(
        default=None, description="Request limits; omitted values are those of the family."
    )
    scheduler: SchedulerOverrides | None = Field(
        default=None, description="Replaces values of the model's scheduler configuration."
    )
    original: OriginalModel | None = None
    files: tuple[ManifestFile, ...] = ()

    def declaration(self, name: ModelName) -> ModelDeclaration:
        """The model's declaration under a name, with the family's values filled in.

        Raises:
            ValidationError: the defaults are outside the limits.
        """
        family = self.family
        defaults = self.defaults.model_dump(exclude_unset=True) if self.defaults else {}
        limits = self.limits.model_dump(exclude_unset=True) if self.limits else {}
        return ModelDeclaration(
            name=name,
            defaults=family.defaults.model_copy(update=defaults),
            limits=family.limits.model_copy(update=limits),
        )
