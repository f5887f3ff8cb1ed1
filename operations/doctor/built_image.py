"""Check of an image that is built from inference/: the host AMI for its CUDA version."""

from dataclasses import dataclass

from infra.config import CodeBuildImage, DockerImage
from infra.image import AMI_VERSIONS, locked_cuda_major
from operations.doctor.check import CheckResult, failed, passed


@dataclass(frozen=True)
class BuiltImage:
    """SageMaker has a host AMI for the CUDA version of the image."""

    image: CodeBuildImage | DockerImage
    name: str = "image"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        try:
            cuda = locked_cuda_major()
        except (LookupError, OSError) as error:
            return failed(str(error), "run make lock")
        if cuda not in AMI_VERSIONS:
            known = " or ".join(map(str, AMI_VERSIONS))
            return failed(
                f"inference/requirements.lock pins CUDA {cuda}; SageMaker has host AMIs for CUDA {known}",
                "pin a torch for one of them in inference/requirements.txt, then run make lock",
            )
        builder = "AWS CodeBuild" if isinstance(self.image, CodeBuildImage) else "local Docker"
        return passed(f"built by {builder} during the deployment; CUDA {cuda}, host AMI {AMI_VERSIONS[cuda]}")
