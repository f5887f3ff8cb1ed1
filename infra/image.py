"""The container image of the inference server and the SageMaker host AMI for its CUDA version."""

import json
import re
from pathlib import Path
from typing import assert_never

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from cdklabs.deploy_time_build import ContainerImageBuild
from constructs import Construct

from infra.config import DockerImage, RegistryImage
from infra.nag import acknowledge

_ROOT = Path(__file__).parents[1]
_DOCKERFILE = "inference/Dockerfile"
_LOCK = _ROOT / "inference" / "requirements.lock"
_IGNORED = [line for line in (_ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
_PLATFORM = ecr_assets.Platform.LINUX_AMD64  # of SageMaker's GPU instances, whatever this machine is
_MAX_IMAGES = 10
_IMAGE_EXISTS = (
    'imageExists=$(aws ecr describe-images --region "$repositoryRegion" --output text'
    ' --repository-name "${repositoryUri#*/}" --image-ids "imageTag=$imageTag"'
    " --query 'imageDetails[0].imageDigest' || true)"
)
"""Sets a variable to the digest of the image that the repository has, or to an empty text."""

AMI_VERSIONS = {
    12: "al2-ami-sagemaker-inference-gpu-3-1",
    13: "al2023-ami-sagemaker-inference-gpu-4-1",
}
"""SageMaker's InferenceAmiVersion by the CUDA major version of the image: its driver must support it."""


def locked_cuda_major() -> int:
    """The CUDA major version that inference/requirements.lock pins for torch.

    Raises:
        LookupError: the file does not pin a CUDA runtime.
        OSError: the file cannot be read.
    """
    pinned = re.search(r"^nvidia-cuda-runtime(?:-cu\d+)?==(\d+)\.", _LOCK.read_text(), re.MULTILINE)
    if pinned is None:
        raise LookupError(
            "inference/requirements.lock does not pin nvidia-cuda-runtime; run `make lock` to regenerate it"
        )
    return int(pinned[1])


class ImageBuilder(Construct):
    """An ECR repository and a CodeBuild project that builds and pushes the image during the deployment."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.repository = ecr.Repository(
            self,
            "Repository",
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            lifecycle_rules=[ecr.LifecycleRule(max_image_count=_MAX_IMAGES)],
            removal_policy=cdk.RemovalPolicy.DESTROY,
            empty_on_delete=True,
        )
        # The tag is computed at synthesis: a stack output that another stack imports could not change.
        self.tag = cdk.FileSystem.fingerprint(str(_ROOT), exclude=_IGNORED, ignore_mode=cdk.IgnoreMode.DOCKER)
        build = ContainerImageBuild(
            self,
            "Build",
            directory=str(_ROOT),
            file=_DOCKERFILE,
            exclude=_IGNORED,
            ignore_mode=cdk.IgnoreMode.DOCKER,
            platform=_PLATFORM,
            repository=self.repository,
            tag=self.tag,
        )
        build.node.add_dependency(self.repository)
        stack = cdk.Stack.of(self)
        project = _project(stack)
        _keep_existing_image(stack, project)
        _acknowledge_findings(stack, project)


def _project(stack: cdk.Stack) -> codebuild.CfnProject:
    """The CodeBuild project that ContainerImageBuild adds to the stack."""
    projects = (each.node.default_child for each in stack.node.children)
    (project,) = (each for each in projects if isinstance(each, codebuild.CfnProject))
    return project


def _keep_existing_image(stack: cdk.Stack, project: codebuild.CfnProject) -> None:
    """Ends the build successfully, before it starts, if the repository has the tag.

    ContainerImageBuild builds and pushes on every create and update; ECR refuses the push of an immutable tag
    that exists. A return to an earlier version, and the rollback of a failed update, ask for such a tag.
    """
    spec = json.loads(stack.resolve(project.source)["buildSpec"])
    build = spec["phases"]["build"]
    build["commands"] = [_IMAGE_EXISTS, *(f'[ -n "$imageExists" ] || {each}' for each in build["commands"])]
    project.add_property_override("Source.BuildSpec", json.dumps(spec, indent=2))


def _acknowledge_findings(stack: cdk.Stack, project: codebuild.CfnProject) -> None:
    """Acknowledges findings on the roles and the function that ContainerImageBuild adds to the stack."""
    policy = "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy"
    region = "<AWS::Region>:<AWS::AccountId>"
    project_id = stack.get_logical_id(project)
    acknowledge(
        stack,
        {
            f"{policy}/service-role/AWSLambdaBasicExecutionRole]": "It lets the trigger function write logs.",
            f"{policy}/AmazonElasticContainerRegistryPublicReadOnly]": "The base image is in ECR Public.",
            "L1": "The library chooses the runtime of the function that starts the build.",
            "CB4": "The build output is open source code without secrets; it needs no own key.",
            "IAM5[Resource::*]": "ecr:GetAuthorizationToken cannot be limited to a resource.",
            "IAM5[Action::s3:GetBucket*]": "The CDK grants this for reading an asset.",
            "IAM5[Action::s3:GetObject*]": "The CDK grants this for reading an asset.",
            "IAM5[Action::s3:List*]": "The CDK grants this for reading an asset.",
            (
                "IAM5[Resource::arn:<AWS::Partition>:s3:::"
                "cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/*]"
            ): "The source asset's key contains its hash.",
            (
                f"IAM5[Resource::arn:<AWS::Partition>:logs:{region}:log-group:/aws/codebuild/<{project_id}>:*]"
            ): "CodeBuild names its log streams after builds.",
            (
                f"IAM5[Resource::arn:<AWS::Partition>:codebuild:{region}:report-group/<{project_id}>-*]"
            ): "The CDK grants this to every CodeBuild project.",
        },
    )


ImageSource = ImageBuilder | DockerImage | RegistryImage
"""The source of an endpoint's image."""


class InferenceImage(Construct):
    """The container image of an endpoint.

    Attributes:
        uri: the ECR URI that SageMaker pulls.
        ami_version: the InferenceAmiVersion whose driver supports the image's CUDA version.
    """

    def __init__(self, scope: Construct, construct_id: str, *, source: ImageSource) -> None:
        super().__init__(scope, construct_id)
        self._repository: ecr.IRepository
        match source:
            case ImageBuilder():
                self._repository = source.repository
                self.uri = source.repository.repository_uri_for_tag(source.tag)
                cuda = locked_cuda_major()
            case DockerImage():
                asset = ecr_assets.DockerImageAsset(
                    self,
                    "Image",
                    directory=str(_ROOT),
                    file=_DOCKERFILE,
                    exclude=_IGNORED,
                    ignore_mode=cdk.IgnoreMode.DOCKER,
                    platform=_PLATFORM,
                    outputs=["type=docker"],  # SageMaker has rejected OCI manifests
                )
                self._repository = asset.repository
                self.uri = asset.image_uri
                cuda = locked_cuda_major()
            case RegistryImage():
                self._repository = ecr.Repository.from_repository_arn(
                    self, "Repository", source.repository_arn
                )
                self.uri = self._repository.repository_uri_for_digest(source.digest)
                cuda = source.cuda
            case _:
                assert_never(source)
        self.ami_version = AMI_VERSIONS[cuda]

    def grant_pull(self, grantee: iam.IGrantable) -> None:
        """Allows an endpoint's role to pull the image."""
        self._repository.grant_pull(grantee)
