"""The stacks of a stage: storage, image, network, one endpoint per model, API, page and dashboard."""

from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk
from constructs import Construct

from infra.alarms import AlarmTopics
from infra.api import JobsApi
from infra.autoscaling import BacklogScaling
from infra.browser_storage import cors_rules
from infra.completion_function import CompletionConsumer
from infra.completion_queue import CompletionQueue
from infra.config import (
    CodeBuildImage,
    DeploymentConfig,
    ExistingNetwork,
    IsolatedNetwork,
    ModelConfig,
    PublicNetwork,
    WebConfig,
)
from infra.config.api import DEFAULT_KEY
from infra.dashboard import OperationsDashboard
from infra.endpoint import AsyncEndpoint
from infra.image import ImageBuilder, ImageSource, InferenceImage
from infra.network import IsolatedVpc, VpcAttachment
from infra.reconciler import ReconcilerFunction
from infra.signing_secret import SigningSecret
from infra.stage_stack import StageStack
from infra.storage import Storage
from infra.web import WebPage
from infra.webhook_function import WebhookConsumer
from infra.webhook_queue import WebhookQueue

BUILT_PAGE = Path(__file__).parents[1] / "web" / "dist"
"""The page that `make web` builds."""


class StorageStack(StageStack):
    """Buckets, job table, queues, signing secret and alarm topics, which all other stacks use."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeploymentConfig) -> None:
        super().__init__(
            scope, construct_id, config=config, termination_protection=config.termination_protection
        )
        self.storage = Storage(
            self,
            "Storage",
            retention=cdk.Duration.days(config.retention_days),
            keep=config.keep_data,
            customer_managed_key=config.customer_managed_key,
            output_prefixes=config.output_prefixes,
            cors=cors_rules(config),
        )
        self.alarm_topics = AlarmTopics(self, "AlarmTopics", config=config.alarms, key=self.storage.key)
        self.completion_queue = CompletionQueue(
            self,
            "CompletionQueue",
            data_bucket=self.storage.data_bucket,
            key=self.storage.key,
            alarm_topics=self.alarm_topics,
        )
        self.webhook_queue = WebhookQueue(
            self, "WebhookQueue", key=self.storage.key, alarm_topics=self.alarm_topics
        )
        self.signing_secret = SigningSecret(
            self, "SigningSecret", key=self.storage.key, removal_policy=config.removal_policy
        )
        cdk.CfnOutput(self, "DataBucketName", value=self.storage.data_bucket.bucket_name)
        cdk.CfnOutput(self, "ModelsBucketName", value=self.storage.models_bucket.bucket_name)
        cdk.CfnOutput(self, "SigningSecretArn", value=self.signing_secret.arn)


class ImageStack(StageStack):
    """The inference container's image, built by CodeBuild during the deployment."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeploymentConfig) -> None:
        super().__init__(scope, construct_id, config=config)
        self.builder = ImageBuilder(self, "InferenceImage")


class NetworkStack(StageStack):
    """The VPC of the containers."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: DeploymentConfig, network: IsolatedNetwork
    ) -> None:
        super().__init__(scope, construct_id, config=config)
        self.vpc = IsolatedVpc(
            self,
            "Network",
            config=network,
            log_retention=config.log_retention,
        )


class EndpointStack(StageStack):
    """The endpoint of one model and its autoscaling."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        model: ModelConfig,
        storage_stack: StorageStack,
        image_source: ImageSource,
        vpc_attachment: VpcAttachment | None,
    ) -> None:
        super().__init__(scope, construct_id, config=config)
        self.endpoint = AsyncEndpoint(
            self,
            "AsyncEndpoint",
            config=config,
            model=model,
            image=InferenceImage(self, "InferenceImage", source=image_source),
            storage=storage_stack.storage,
            completion_queue=storage_stack.completion_queue,
            vpc_attachment=vpc_attachment,
            alarm_topics=storage_stack.alarm_topics,
        )
        self.endpoint.publish_name(BacklogScaling(self, "Scaling", endpoint=self.endpoint))
        cdk.CfnOutput(self, "EndpointName", value=self.endpoint.endpoint.attr_endpoint_name)


class ApiStack(StageStack):
    """The HTTP API, and the functions that finish jobs, reconcile them and call webhooks."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: DeploymentConfig, storage_stack: StorageStack
    ) -> None:
        super().__init__(scope, construct_id, config=config)
        api = self.api = JobsApi(
            self,
            "Api",
            config=config,
            storage=storage_stack.storage,
            webhook_queue=storage_stack.webhook_queue,
            signing_secret=storage_stack.signing_secret,
            alarm_topics=storage_stack.alarm_topics,
        )
        CompletionConsumer(
            self,
            "Completion",
            config=config,
            storage=storage_stack.storage,
            completion_queue=storage_stack.completion_queue,
            webhook_queue=storage_stack.webhook_queue,
            alarm_topics=storage_stack.alarm_topics,
        )
        ReconcilerFunction(
            self,
            "Reconciler",
            config=config,
            storage=storage_stack.storage,
            webhook_queue=storage_stack.webhook_queue,
            alarm_topics=storage_stack.alarm_topics,
        )
        WebhookConsumer(
            self,
            "Webhooks",
            config=config,
            storage=storage_stack.storage,
            webhook_queue=storage_stack.webhook_queue,
            signing_secret=storage_stack.signing_secret,
            alarm_topics=storage_stack.alarm_topics,
        )
        cdk.CfnOutput(self, "ApiUrl", value=api.url)
        if api.domain is not None:
            cdk.CfnOutput(self, "ApiDomainTarget", value=api.domain.target)
        for name, key in api.api_keys.items():
            suffix = "" if name == DEFAULT_KEY else name.capitalize()
            cdk.CfnOutput(self, f"ApiKeyId{suffix}", value=key.key_id)


class WebStack(StageStack):
    """The web page, behind CloudFront."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        web: WebConfig,
        storage: Storage,
        api: JobsApi,
        files: Path,
    ) -> None:
        super().__init__(scope, construct_id, config=config)
        page = WebPage(
            self,
            "Web",
            config=config,
            web=web,
            storage=storage,
            rest_api=api.rest_api,
            secret=api.firewall.distribution_secret if api.firewall else None,
            files=files,
        )
        cdk.CfnOutput(self, "WebUrl", value=page.url)
        if web.domain is not None:
            cdk.CfnOutput(self, "WebDomainTarget", value=page.target)


class DashboardStack(StageStack):
    """The CloudWatch dashboard of the stage."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        endpoints: Sequence[AsyncEndpoint],
    ) -> None:
        super().__init__(scope, construct_id, config=config)
        OperationsDashboard(self, "Operations", stage=config.stage, endpoints=endpoints)


def add_stacks(scope: Construct, config: DeploymentConfig, *, page: Path = BUILT_PAGE) -> None:
    """Adds the stacks of a stage to the application.

    Args:
        scope: the application.
        config: the stage.
        page: the directory of the built page.

    Raises:
        InvalidConfigurationError: the stage does not fit a limit of AWS that the schema cannot check, or the
            page is not built.
    """
    prefix = f"StableDiffusion-{config.stage}"
    storage_stack = StorageStack(scope, f"{prefix}-Storage", config=config)
    image_source = (
        ImageStack(scope, f"{prefix}-Image", config=config).builder
        if isinstance(config.image, CodeBuildImage)
        else config.image
    )
    vpc_attachment = _vpc_attachment(scope, prefix, config)
    endpoint_stacks = [
        EndpointStack(
            scope,
            f"{prefix}-Endpoint-{model.name}",
            config=config,
            model=model,
            storage_stack=storage_stack,
            image_source=image_source,
            vpc_attachment=vpc_attachment,
        )
        for model in config.models
    ]
    api_stack = ApiStack(scope, f"{prefix}-Api", config=config, storage_stack=storage_stack)
    for stack in endpoint_stacks:
        api_stack.add_stack_dependency(stack, "the API reads the name of the model's endpoint from SSM")
    if config.page is not None:
        WebStack(
            scope,
            f"{prefix}-Web",
            config=config,
            web=config.page,
            storage=storage_stack.storage,
            api=api_stack.api,
            files=page,
        )
    DashboardStack(
        scope,
        f"{prefix}-Dashboard",
        config=config,
        endpoints=[stack.endpoint for stack in endpoint_stacks],
    )


def _vpc_attachment(scope: Construct, prefix: str, config: DeploymentConfig) -> VpcAttachment | None:
    match config.network:
        case PublicNetwork():
            return None
        case ExistingNetwork() as network:
            return VpcAttachment.existing(network)
        case IsolatedNetwork() as network:
            stack = NetworkStack(scope, f"{prefix}-Network", config=config, network=network)
            return stack.vpc.attachment
