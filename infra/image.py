"""The container image of the inference server."""

from pathlib import Path

from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from constructs import Construct

_DIRECTORY = Path(__file__).parents[1] / "inference"
_EXCLUDED = ["demo_model", "demo_loras", "**/__pycache__"]


class InferenceImage(Construct):
    """The image built from inference/ when the application is deployed."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self._asset = ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(_DIRECTORY),
            exclude=_EXCLUDED,
            platform=ecr_assets.Platform.LINUX_AMD64,  # SageMaker's GPU instances; a laptop may be arm64
        )
        self.uri = self._asset.image_uri

    def grant_pull(self, grantee: iam.IGrantable) -> None:
        """Lets SageMaker fetch the image in the role's name."""
        self._asset.repository.grant_pull(grantee)
