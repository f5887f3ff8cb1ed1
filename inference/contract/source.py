"""Where a model's weights come from, if not from S3."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

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


class HubSource(BaseModel):
    """A diffusers directory in a repository of the Hugging Face hub."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
