"""Sources of a model's weights."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from contract.identifiers import S3Location

_NAME = r"[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*"

HubId = Annotated[
    str,
    Field(
        pattern=rf"^{_NAME}/{_NAME}$",
        max_length=140,
        examples=["stabilityai/stable-diffusion-2-1"],
        description="The repository, as `owner/name`.",
    ),
]
Commit = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{40}$",
        description="A full commit hash. Branches and tags are not accepted, since they may move.",
    ),
]
SecretArn = Annotated[
    str,
    Field(pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+$"),
]


class _Source(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str

    @model_serializer(mode="wrap")
    def _keep_type(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Includes `type`, the discriminator, even where default values are left out."""
        return {"type": self.type, **serialize(self)}


class S3Source(_Source):
    """A model in S3: a directory in the diffusers layout with safetensors weights."""

    type: Literal["s3"] = "s3"
    uri: str | None = Field(
        default=None,
        pattern=r"^s3://[a-z0-9.-]{3,63}/.+/$",
        description=(
            "Prefix of the directory, ending with a slash. Default: the model's name in the models bucket."
        ),
    )

    def prefix(self, model: str, models_bucket: str) -> S3Location:
        """The key prefix of the model's files, ending with a slash."""
        return S3Location.parse(self.uri) if self.uri else S3Location(models_bucket, f"{model}/")


class HubSource(_Source):
    """A model on the Hugging Face Hub in the diffusers layout, downloaded by each instance."""

    type: Literal["huggingface"] = "huggingface"
    id: HubId
    revision: Commit
    token_secret_arn: SecretArn | None = Field(
        default=None,
        description=(
            "ARN of a Secrets Manager secret that holds a Hugging Face access token as text, encrypted with "
            "the AWS managed key. Needed for gated and private repositories."
        ),
    )
