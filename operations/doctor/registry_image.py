"""An image that is in ECR already: it is there, and SageMaker can run it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.config import RegistryImage
from infra.image import AMI_VERSIONS
from operations.doctor.account import Account
from operations.doctor.aws import Aws
from operations.doctor.check import Finding, failed, passed

Fetch = Callable[[str], bytes]
"""What lies at an https address.

Raises:
    SkippedError: it cannot be fetched.
"""

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_OTHERS = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)
_PLATFORM = "linux/amd64"
_BUILD = "docker buildx build --platform linux/amd64 --provenance=false --output type=docker"


@dataclass(frozen=True)
class ImageInRegistry:
    """The image of the stage is in ECR, in a form that SageMaker takes, for its processors and drivers."""

    aws: Aws
    account: Account
    image: RegistryImage
    fetch: Fetch
    name: str = "image"

    def run(self) -> Finding:
        """See `Check.run`."""
        _, _, _, region, owner, resource = self.image.repository_arn.split(":", 5)
        repository = resource.removeprefix("repository/")
        if region != self.account.region:
            return failed(
                f"the repository is in {region}, the deployment in {self.account.region}",
                "push the image to a repository in the deployment's region",
            )
        ecr = self.aws.client("ecr")
        try:
            found = ecr.batch_get_image(
                registryId=owner,
                repositoryName=repository,
                imageIds=[{"imageDigest": self.image.digest}],
                acceptedMediaTypes=[_MANIFEST, *_OTHERS],
            )["images"]
        except ecr.exceptions.RepositoryNotFoundException:
            found = []
        if not found:
            return failed(
                f"{repository} has no image {self.image.digest}",
                f"see which there are: aws ecr describe-images --repository-name {repository}",
            )
        manifest = json.loads(found[0]["imageManifest"])
        media_type = found[0].get("imageManifestMediaType") or manifest.get("mediaType")
        if media_type != _MANIFEST:
            return failed(
                f"SageMaker takes Docker manifests only, and this is {media_type}",
                f"push what {_BUILD} makes, and name that manifest's digest",
            )
        link = ecr.get_download_url_for_layer(
            registryId=owner, repositoryName=repository, layerDigest=manifest["config"]["digest"]
        )
        return self._judge(json.loads(self.fetch(link["downloadUrl"])))

    def _judge(self, config: dict[str, Any]) -> Finding:
        platform = f"{config.get('os')}/{config.get('architecture')}"
        if platform != _PLATFORM:
            return failed(f"is for {platform}, SageMaker's GPUs need {_PLATFORM}", f"build it with {_BUILD}")
        declared, inside = self.image.cuda, _cuda_major(config)
        if inside not in (None, declared):
            return failed(
                f"has CUDA {inside}, and cdk.json says {declared}",
                f'"cuda": {inside} in cdk.json: the host\'s driver is chosen by it',
            )
        says = (
            f"CUDA {inside}" if inside is not None else f"CUDA {declared} by cdk.json; the image does not say"
        )
        return passed(f"{platform}, {says}, on {AMI_VERSIONS[declared]}")


def _cuda_major(config: dict[str, Any]) -> int | None:
    """The major version that the image's environment names, as NVIDIA's base images do."""
    for variable in config.get("config", {}).get("Env") or []:
        match = re.match(r"CUDA_VERSION=(\d+)\.", variable)
        if match:
            return int(match[1])
    return None
