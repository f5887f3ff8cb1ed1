"""The container image of the inference server, and the host that its CUDA needs."""

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
from infra.nag import accept

_ROOT = Path(__file__).parents[1]
_DOCKERFILE = "inference/Dockerfile"
_IGNORED = [line for line in (_ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
_PLATFORM = ecr_assets.Platform.LINUX_AMD64  # SageMaker's GPU instances; a laptop may be arm64
_KEPT_IMAGES = 10

AMI_VERSIONS = {
    12: "al2-ami-sagemaker-inference-gpu-3-1",
    13: "al2023-ami-sagemaker-inference-gpu-4-1",
}
"""By the major version of CUDA in the image: the host's image, whose driver must not be older."""


def locked_cuda_major() -> int:
    """The major version of CUDA that inference/requirements.lock brings with torch.

    Raises:
        LookupError: the file pins no CUDA runtime.
    """
    locked = (_ROOT / "inference" / "requirements.lock").read_text()
    pinned = re.search(r"^nvidia-cuda-runtime(?:-cu\d+)?==(\d+)\.", locked, re.MULTILINE)
    if pinned is None:
        raise LookupError("inference/requirements.lock pins no nvidia-cuda-runtime; make it anew: make lock")
    return int(pinned[1])


class ImageBuilder(Construct):
    """An ECR repository, and a CodeBuild project that builds and pushes the image while the stack deploys."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.repository = ecr.Repository(
            self,
            "Repository",
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            lifecycle_rules=[ecr.LifecycleRule(max_image_count=_KEPT_IMAGES)],
            removal_policy=cdk.RemovalPolicy.DESTROY,
            empty_on_delete=True,
        )
        # The tag is known when templates are made. An exported one could not change while it is imported.
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
        _account_for_findings(cdk.Stack.of(self))


def _account_for_findings(stack: cdk.Stack) -> None:
    """The build's role and function come with the library, beside this construct."""
    policy = "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy"
    region = "<AWS::Region>:<AWS::AccountId>"
    projects = (each.node.default_child for each in stack.node.children)
    (project,) = (each for each in projects if isinstance(each, codebuild.CfnProject))
    project_id = stack.get_logical_id(project)
    accept(
        stack,
        {
            f"{policy}/service-role/AWSLambdaBasicExecutionRole]": "The build's trigger writes its log.",
            f"{policy}/AmazonElasticContainerRegistryPublicReadOnly]": "The base image is in ECR Public.",
            "L1": "The library chooses the runtime of its trigger.",
            "CB4": "What is built is the open source in contract/ and inference/; there is nothing to hide.",
            "IAM5[Resource::*]": "ecr:GetAuthorizationToken cannot be limited to a resource.",
            "IAM5[Action::s3:GetBucket*]": "The CDK's way of reading an asset, as the library does.",
            "IAM5[Action::s3:GetObject*]": "The CDK's way of reading an asset, as the library does.",
            "IAM5[Action::s3:List*]": "The CDK's way of reading an asset, as the library does.",
            (
                "IAM5[Resource::arn:<AWS::Partition>:s3:::"
                "cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/*]"
            ): "The sources are an asset, named by its hash.",
            (
                f"IAM5[Resource::arn:<AWS::Partition>:logs:{region}:log-group:/aws/codebuild/<{project_id}>:*]"
            ): "Log streams are named by the builds.",
            (
                f"IAM5[Resource::arn:<AWS::Partition>:codebuild:{region}:report-group/<{project_id}>-*]"
            ): "The CDK grants this to every CodeBuild project.",
        },
    )


ImageSource = ImageBuilder | DockerImage | RegistryImage
"""Where an endpoint's image comes from."""


class InferenceImage(Construct):
    """The image that an endpoint runs.

    Attributes:
        uri: where SageMaker fetches it.
        ami_version: SageMaker's InferenceAmiVersion that suits it.
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
                    outputs=["type=docker"],  # SageMaker has refused the OCI manifests of newer Dockers
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
        """Lets SageMaker fetch the image in the role's name."""
        self._repository.grant_pull(grantee)
