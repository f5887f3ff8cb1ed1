"""Check of an existing image in ECR: it exists, and SageMaker can run it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.config import RegistryImage
from infra.image import AMI_VERSIONS
from operations.doctor.account import Account
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, failed, passed

Fetch = Callable[[str], bytes]
"""Downloads the content of a URL.

Raises:
    SkippedError: the download failed.
"""

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_OTHER_MANIFESTS = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)
_PLATFORM = "linux/amd64"
_BUILD = "docker buildx build --platform linux/amd64 --provenance=false --output type=docker"


@dataclass(frozen=True)
class ImageInRegistry:
    """The image is in ECR, in a format and for a platform and CUDA version that SageMaker supports."""

    aws: Aws
    account: Account
    image: RegistryImage
    fetch: Fetch
    name: str = "image"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        _, _, _, region, owner, resource = self.image.repository_arn.split(":", 5)
        repository = resource.removeprefix("repository/")
        if region != self.account.region:
            return failed(
                f"the repository is in {region}, but the deployment is in {self.account.region}",
                "push the image to a repository in the deployment's region",
            )
        ecr = self.aws.client("ecr")
        try:
            found = ecr.batch_get_image(
                registryId=owner,
                repositoryName=repository,
                imageIds=[{"imageDigest": self.image.digest}],
                acceptedMediaTypes=[_MANIFEST, *_OTHER_MANIFESTS],
            )["images"]
        except ecr.exceptions.RepositoryNotFoundException:
            found = []
        if not found:
            return failed(
                f"{repository} has no image {self.image.digest}",
                f"list its images: aws ecr describe-images --repository-name {repository}",
            )
        manifest = json.loads(found[0]["imageManifest"])
        media_type = found[0].get("imageManifestMediaType") or manifest.get("mediaType")
        if media_type != _MANIFEST:
            return failed(
                f"SageMaker supports Docker manifests only; the image has {media_type}",
                f"build with {_BUILD}, push the image and use its digest",
            )
        link = ecr.get_download_url_for_layer(
            registryId=owner, repositoryName=repository, layerDigest=manifest["config"]["digest"]
        )
        return self._check_config(json.loads(self.fetch(link["downloadUrl"])))

    def _check_config(self, config: dict[str, Any]) -> CheckResult:
        platform = f"{config.get('os')}/{config.get('architecture')}"
        if platform != _PLATFORM:
            return failed(f"built for {platform}, but SageMaker needs {_PLATFORM}", f"build it with {_BUILD}")
        declared, actual = self.image.cuda, _cuda_major(config)
        if actual not in (None, declared):
            return failed(
                f"the image has CUDA {actual}, but cdk.json says {declared}",
                f'set "cuda": {actual} in cdk.json, which selects the host AMI and its driver',
            )
        cuda = f"CUDA {actual}" if actual is not None else f"CUDA {declared} according to cdk.json"
        return passed(f"{platform}, {cuda}, host AMI {AMI_VERSIONS[declared]}")


def _cuda_major(config: dict[str, Any]) -> int | None:
    """The CUDA major version in CUDA_VERSION, which NVIDIA's base images set; None without the variable."""
    for variable in config.get("config", {}).get("Env") or []:
        match = re.match(r"CUDA_VERSION=(\d+)\.", variable)
        if match:
            return int(match[1])
    return None
