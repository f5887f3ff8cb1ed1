"""The stacks: what is kept, the image, one endpoint a model, and the API."""

from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

from infra.alarms import AlarmTopics
from infra.api import CompletionConsumer, JobsApi
from infra.autoscaling import BacklogScaling
from infra.completion_queue import CompletionQueue
from infra.config import (
    CodeBuildImage,
    DeploymentConfig,
    ExistingNetwork,
    IsolatedNetwork,
    ModelConfig,
    PublicNetwork,
)
from infra.dashboard import OperationsDashboard
from infra.endpoint import AsyncEndpoint
from infra.image import ImageBuilder, ImageSource, InferenceImage
from infra.network import IsolatedVpc, Placement
from infra.storage import Storage


class StorageStack(cdk.Stack):
    """What outlives every other stack."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeploymentConfig) -> None:
        super().__init__(scope, construct_id, termination_protection=config.termination_protection)
        self.pager = AlarmTopics(self, "AlarmTopics", config=config.alarms)
        self.storage = Storage(
            self,
            "Storage",
            retention=cdk.Duration.days(config.retention_days),
            keep=config.keep_data,
            own_key=config.customer_managed_key,
        )
        self.notices = CompletionQueue(self, "CompletionQueue", key=self.storage.key, pager=self.pager)
        cdk.CfnOutput(self, "DataBucketName", value=self.storage.data_bucket.bucket_name)
        cdk.CfnOutput(self, "ModelsBucketName", value=self.storage.models_bucket.bucket_name)


class ImageStack(cdk.Stack):
    """The inference container's image, built where it is deployed."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.builder = ImageBuilder(self, "InferenceImage")


class NetworkStack(cdk.Stack):
    """A network for the containers."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: DeploymentConfig, network: IsolatedNetwork
    ) -> None:
        super().__init__(scope, construct_id)
        self.vpc = IsolatedVpc(
            self,
            "Network",
            config=network,
            log_retention=config.log_retention,
            removal_policy=config.removal_policy,
        )


class EndpointStack(cdk.Stack):
    """One model's endpoint."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        model: ModelConfig,
        base: StorageStack,
        image_source: ImageSource,
        placement: Placement | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.endpoint = AsyncEndpoint(
            self,
            "AsyncEndpoint",
            config=config,
            model=model,
            image=InferenceImage(self, "InferenceImage", source=image_source),
            storage=base.storage,
            notices=base.notices,
            placement=placement,
            pager=base.pager,
        )
        self.endpoint.announce(BacklogScaling(self, "Scaling", endpoint=self.endpoint))
        cdk.CfnOutput(self, "EndpointName", value=self.endpoint.endpoint.attr_endpoint_name)


class ApiStack(cdk.Stack):
    """What clients talk to."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: DeploymentConfig, base: StorageStack
    ) -> None:
        super().__init__(scope, construct_id)
        api = JobsApi(self, "Api", config=config, storage=base.storage, pager=base.pager)
        CompletionConsumer(
            self,
            "Completion",
            config=config,
            storage=base.storage,
            notices=base.notices,
            pager=base.pager,
        )
        cdk.CfnOutput(self, "ApiUrl", value=api.rest_api.url)
        if api.api_key is not None:
            cdk.CfnOutput(self, "ApiKeyId", value=api.api_key.key_id)


class DashboardStack(cdk.Stack):
    """The stage on one page."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        endpoints: Sequence[AsyncEndpoint],
    ) -> None:
        super().__init__(scope, construct_id)
        OperationsDashboard(self, "Operations", stage=config.stage, endpoints=endpoints)


def add_stacks(scope: Construct, config: DeploymentConfig) -> None:
    """Adds a stage's stacks to the application."""
    prefix = f"StableDiffusion-{config.stage}"
    base = StorageStack(scope, f"{prefix}-Storage", config=config)
    image_source = (
        ImageStack(scope, f"{prefix}-Image").builder
        if isinstance(config.image, CodeBuildImage)
        else config.image
    )
    placement = _placement(scope, prefix, config)
    stacks = [
        EndpointStack(
            scope,
            f"{prefix}-Endpoint-{model.name}",
            config=config,
            model=model,
            base=base,
            image_source=image_source,
            placement=placement,
        )
        for model in config.models
    ]
    api = ApiStack(scope, f"{prefix}-Api", config=config, base=base)
    for stack in stacks:
        api.add_stack_dependency(stack, "it reads which endpoint serves the model")
    DashboardStack(
        scope, f"{prefix}-Dashboard", config=config, endpoints=[stack.endpoint for stack in stacks]
    )


def _placement(scope: Construct, prefix: str, config: DeploymentConfig) -> Placement | None:
    match config.network:
        case PublicNetwork():
            return None
        case ExistingNetwork() as network:
            return Placement.existing(network)
        case IsolatedNetwork() as network:
            return NetworkStack(scope, f"{prefix}-Network", config=config, network=network).vpc.placement
