"""Where a model's weights come from."""

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
        description="The repository, by its owner and name.",
    ),
]
Commit = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{40}$",
        description="The full hash of a commit: a branch or a tag may change between two instances.",
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
        """Tells the alternatives apart also where defaults are left out."""
        return {"type": self.type, **serialize(self)}


class S3Source(_Source):
    """A directory in the diffusers layout with safetensors weights, in S3."""

    type: Literal["s3"] = "s3"
    uri: str | None = Field(
        default=None,
        pattern=r"^s3://[a-z0-9.-]{3,63}/.+/$",
        description=(
            "Where it lies, with a slash at the end; left out, it is the model's name in the models bucket."
        ),
    )

    def prefix(self, model: str, models_bucket: str) -> S3Location:
        """What the keys of the model's files begin with, a slash at the end."""
        return S3Location.parse(self.uri) if self.uri else S3Location(models_bucket, f"{model}/")


class HubSource(_Source):
    """A diffusers directory in a repository of the Hugging Face hub, fetched by each instance."""

    type: Literal["huggingface"] = "huggingface"
    id: HubId
    revision: Commit
    token_secret_arn: SecretArn | None = Field(
        default=None,
        description=(
            "A Secrets Manager secret, encrypted with AWS's own key, whose text is an access token; for "
            "repositories that ask for one."
        ),
    )
