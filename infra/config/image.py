"""Where the inference container's image comes from."""

from typing import Annotated, Literal

from pydantic import Field

from infra.config.base import Config


class CodeBuildImage(Config):
    """Built from inference/ in AWS CodeBuild while the application is deployed: needs no Docker."""

    source: Literal["codebuild"] = "codebuild"


class DockerImage(Config):
    """Built from inference/ by the Docker on the machine that deploys, for linux/amd64."""

    source: Literal["docker"]


class RegistryImage(Config):
    """An image that is in ECR already, from a pipeline of your own."""

    source: Literal["registry"]

    repository_arn: str = Field(pattern=r"^arn:aws[a-z-]*:ecr:[a-z0-9-]+:\d{12}:repository/.+$")
    """The repository, in the endpoint's region."""

    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    """The image's digest: a tag could change what runs without a deployment."""

    cuda: Literal[12, 13]
    """The major version of CUDA in the image; the host's driver is chosen by it."""


ImageConfig = Annotated[CodeBuildImage | DockerImage | RegistryImage, Field(discriminator="source")]
