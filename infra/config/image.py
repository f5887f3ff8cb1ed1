"""Settings of the inference container's image."""

from typing import Annotated, Literal

from pydantic import Field

from infra.config.base import Config


class CodeBuildImage(Config):
    """Built by AWS CodeBuild from the sources during the deployment. Needs no Docker."""

    source: Literal["codebuild"] = "codebuild"


class DockerImage(Config):
    """Built for linux/amd64 from the sources by Docker on the machine that deploys."""

    source: Literal["docker"]


class RegistryImage(Config):
    """An existing image in ECR, for example from your own pipeline."""

    source: Literal["registry"]

    repository_arn: str = Field(pattern=r"^arn:aws[a-z-]*:ecr:[a-z0-9-]+:\d{12}:repository/.+$")
    """The ECR repository, in the region of the endpoints."""

    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    """The digest of the image manifest. A tag is not accepted, because it can move between deployments."""

    cuda: Literal[12, 13]
    """The CUDA major version in the image; it selects the host AMI with a suitable NVIDIA driver."""


ImageConfig = Annotated[CodeBuildImage | DockerImage | RegistryImage, Field(discriminator="source")]
