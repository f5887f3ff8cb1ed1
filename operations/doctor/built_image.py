"""The image that is built from inference/: which host it will run on."""

from dataclasses import dataclass

from infra.config import CodeBuildImage, DockerImage
from infra.image import AMI_VERSIONS, locked_cuda_major
from operations.doctor.check import Finding, failed, passed


@dataclass(frozen=True)
class BuiltImage:
    """There is a host for the CUDA that the image will have."""

    image: CodeBuildImage | DockerImage
    name: str = "image"

    def run(self) -> Finding:
        """See `Check.run`."""
        try:
            cuda = locked_cuda_major()
        except (LookupError, OSError) as error:
            return failed(str(error), "make lock")
        if cuda not in AMI_VERSIONS:
            known = " or ".join(map(str, AMI_VERSIONS))
            return failed(
                f"inference/requirements.lock brings CUDA {cuda}, and SageMaker has hosts for {known}",
                "pin a torch that is built for one of them in inference/requirements.txt, then make lock",
            )
        builder = "AWS CodeBuild" if isinstance(self.image, CodeBuildImage) else "Docker here"
        return passed(f"built by {builder} during the deployment, with CUDA {cuda}, on {AMI_VERSIONS[cuda]}")
