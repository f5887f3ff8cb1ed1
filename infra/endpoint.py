"""The asynchronous SageMaker endpoint of a model."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from contract import keys
from contract.environment import ContainerEnvironment
from contract.source import HubSource, S3Source
from infra.alarms import AlarmTopics
from infra.completion_queue import CompletionQueue
from infra.config import DeploymentConfig, ModelConfig
from infra.endpoint_alarms import add_alarms
from infra.endpoint_metrics import EndpointMetrics
from infra.endpoint_names import VARIANT_NAME, endpoint_name, endpoint_parameter
from infra.endpoint_role import create_role
from infra.endpoint_updates import deployment_config
from infra.image import InferenceImage
from infra.log_groups import NamedLogGroup
from infra.network import VpcAttachment
from infra.storage import Storage


class AsyncEndpoint(Construct):
    """The SageMaker model, endpoint configuration and endpoint, with their role, log group and alarms.

    The containers are attached to a VPC if `vpc_attachment` is given.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        model: ModelConfig,
        image: InferenceImage,
        storage: Storage,
        completion_queue: CompletionQueue,
        vpc_attachment: VpcAttachment | None,
        alarm_topics: AlarmTopics,
    ) -> None:
        super().__init__(scope, construct_id)
        self.model = model
        self.endpoint_name = endpoint_name(config.stage, model)
        self.metrics = EndpointMetrics(self.endpoint_name)
        self._config = config
        self._vpc_attachment = vpc_attachment
        log_group = NamedLogGroup(
            self,
            "Logs",
            name=f"/aws/sagemaker/Endpoints/{self.endpoint_name}",
            retention=config.log_retention,
        )
        alarms = add_alarms(self, self.metrics, model=model, config=config, alarm_topics=alarm_topics)
        rollback_alarms = alarms.of_a_version if model.auto_rollback else ()
        role = create_role(
            self,
            model=model,
            image=image,
            storage=storage,
            completion_queue=completion_queue,
            log_group=log_group,
            rollback_alarms=rollback_alarms,
            in_vpc=vpc_attachment is not None,
        )
        sagemaker_model = self._sagemaker_model(role, image, storage)
        self.endpoint = sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=self.endpoint_name,
            endpoint_config_name=self._endpoint_config(
                sagemaker_model, image, storage, completion_queue
            ).attr_endpoint_config_name,
            retain_all_variant_properties=True,  # an update keeps the instance count that autoscaling has set
            deployment_config=deployment_config(model, rollback_alarms),
        )
        self.endpoint.node.add_dependency(log_group)

    def publish_name(self, *after: Construct) -> None:
        """Writes the endpoint's name to the SSM parameter that the API reads, after `after` is created."""
        parameter = ssm.StringParameter(
            self,
            "Current",
            parameter_name=endpoint_parameter(self._config.stage, self.model.name),
            string_value=self.endpoint.attr_endpoint_name,
            description=f"The name of the endpoint that serves {self.model.name}.",
        )
        parameter.node.add_dependency(*after)

    def _sagemaker_model(self, role: iam.Role, image: InferenceImage, storage: Storage) -> sagemaker.CfnModel:
        source = self.model.source
        properties = sagemaker.CfnModel
        model = properties(
            self,
            "Model",
            execution_role_arn=role.role_arn,
            primary_container=properties.ContainerDefinitionProperty(
                image=image.uri,
                environment=self._environment(storage).variables(),
                model_data_source=(
                    properties.ModelDataSourceProperty(
                        s3_data_source=properties.S3DataSourceProperty(
                            compression_type="None",
                            s3_data_type="S3Prefix",
                            s3_uri=storage.model_prefix(self.model.name, source),
                        )
                    )
                    if isinstance(source, S3Source)
                    else None
                ),
            ),
            vpc_config=(
                properties.VpcConfigProperty(
                    subnets=list(self._vpc_attachment.subnet_ids),
                    security_group_ids=list(self._vpc_attachment.security_group_ids),
                )
                if self._vpc_attachment
                else None
            ),
        )
        model.node.add_dependency(role)  # SageMaker checks the role's permissions on creation
        return model

    def _environment(self, storage: Storage) -> ContainerEnvironment:
        model = self.model
        stack = cdk.Stack.of(self)
        return ContainerEnvironment(
            stage=self._config.stage,
            aws_default_region=stack.region,
            aws_account_id=stack.account,
            gpu_instance_types=model.instance_types,
            model=model.declaration,
            model_source=model.source if isinstance(model.source, HubSource) else None,
            companions=model.companions,
            model_memory_gib=model.model_memory_gib,
            data_bucket_name=storage.data_bucket.bucket_name,
            models_bucket_name=storage.models_bucket.bucket_name,
            log_prompts=self._config.log_prompts,
            invocation_timeout_s=model.invocation_timeout_s,
            max_batch_size=model.max_batch_size,
            fixed_batch_size=model.fixed_batch_size,
            compile=model.compile,
            cuda_graphs=model.cuda_graphs,
            quantization=model.quantization,
            merge_loras=model.merge_loras,
            warm_up=model.warm_up,
            safety_mode=model.safety.mode,
            safety_checker=model.safety.checker and storage.safety_checker_prefix(model.safety.checker),
            watermark=model.watermark,
            output_prefixes=self._config.output_prefixes,
        )

    def _endpoint_config(
        self,
        model: sagemaker.CfnModel,
        image: InferenceImage,
        storage: Storage,
        completion_queue: CompletionQueue,
    ) -> sagemaker.CfnEndpointConfig:
        bucket = storage.data_bucket
        properties = sagemaker.CfnEndpointConfig
        types = self.model.instance_types
        pools = [
            properties.InstancePoolProperty(instance_type=instance_type, priority=priority)
            for priority, instance_type in enumerate(types, start=1)
        ]
        return properties(
            self,
            "Config",
            production_variants=[
                properties.ProductionVariantProperty(
                    variant_name=VARIANT_NAME,
                    model_name=model.attr_model_name,
                    instance_type=types[0] if len(types) == 1 else None,
                    instance_pools=pools if len(types) > 1 else None,
                    initial_instance_count=max(1, self.model.scaling.min_instances),
                    initial_variant_weight=1,
                    inference_ami_version=image.ami_version,
                    model_data_download_timeout_in_seconds=self.model.download_timeout_s,
                    container_startup_health_check_timeout_in_seconds=self.model.startup_timeout_s,
                )
            ],
            async_inference_config=properties.AsyncInferenceConfigProperty(
                client_config=properties.AsyncInferenceClientConfigProperty(
                    max_concurrent_invocations_per_instance=self.model.max_concurrent_invocations
                ),
                output_config=properties.AsyncInferenceOutputConfigProperty(
                    s3_output_path=bucket.s3_url_for_object(keys.RESULTS_PREFIX),
                    s3_failure_path=bucket.s3_url_for_object(keys.FAILURES_PREFIX),
                    kms_key_id=storage.key.key_arn if storage.key else None,
                    notification_config=properties.AsyncInferenceNotificationConfigProperty(
                        success_topic=completion_queue.success_topic.topic_arn,
                        error_topic=completion_queue.error_topic.topic_arn,
                    ),
                ),
            ),
        )
