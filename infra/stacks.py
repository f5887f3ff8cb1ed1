"""The stacks: what is kept, one endpoint a model, and the API."""

from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

from infra.api import CompletionConsumer, JobsApi
from infra.autoscaling import BacklogScaling
from infra.config import DeploymentConfig, ModelConfig
from infra.endpoint import AsyncEndpoint
from infra.image import InferenceImage
from infra.notices import Notices
from infra.storage import Storage


class StorageStack(cdk.Stack):
    """What outlives every other stack."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeploymentConfig) -> None:
        super().__init__(scope, construct_id, termination_protection=config.termination_protection)
        self.storage = Storage(self, "Storage", retention=cdk.Duration.days(config.retention_days))
        self.notices = Notices(self, "Notices")
        cdk.CfnOutput(self, "DataBucketName", value=self.storage.data_bucket.bucket_name)
        cdk.CfnOutput(self, "ModelsBucketName", value=self.storage.models_bucket.bucket_name)


class EndpointStack(cdk.Stack):
    """One model's endpoint."""

    def __init__(
        self, scope: Construct, construct_id: str, *, model: ModelConfig, storage: Storage, notices: Notices
    ) -> None:
        super().__init__(scope, construct_id)
        self.endpoint = AsyncEndpoint(
            self,
            "AsyncEndpoint",
            model=model,
            image=InferenceImage(self, "InferenceImage"),
            storage=storage,
            notices=notices,
        )
        BacklogScaling(self, "Scaling", endpoint=self.endpoint)
        cdk.CfnOutput(self, "EndpointName", value=self.endpoint.endpoint_name)


class ApiStack(cdk.Stack):
    """What clients talk to."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        storage: Storage,
        notices: Notices,
        endpoints: Sequence[AsyncEndpoint],
    ) -> None:
        super().__init__(scope, construct_id)
        api = JobsApi(self, "Api", config=config, storage=storage, endpoints=endpoints)
        CompletionConsumer(self, "Completion", config=config, storage=storage, notices=notices)
        cdk.CfnOutput(self, "ApiUrl", value=api.rest_api.url)
        cdk.CfnOutput(self, "ApiKeyId", value=api.api_key.key_id)


def add_stacks(scope: Construct, config: DeploymentConfig) -> None:
    """Adds a stage's stacks to the application."""
    prefix = f"StableDiffusion-{config.stage}"
    base = StorageStack(scope, f"{prefix}-Storage", config=config)
    endpoints = [
        EndpointStack(
            scope,
            f"{prefix}-Endpoint-{model.name}",
            model=model,
            storage=base.storage,
            notices=base.notices,
        ).endpoint
        for model in config.models
    ]
    ApiStack(
        scope,
        f"{prefix}-Api",
        config=config,
        storage=base.storage,
        notices=base.notices,
        endpoints=endpoints,
    )
