"""A model's asynchronous endpoint."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from contract import keys
from contract.environment import ContainerEnvironment
from contract.source import HubSource, S3Source
from infra.alarms import MINUTE, AlarmTopics, Severity
from infra.completion_queue import CompletionQueue
from infra.config import DeploymentConfig, ModelConfig
from infra.endpoint_names import endpoint_name, endpoint_parameter
from infra.image import InferenceImage
from infra.nag import accept
from infra.network import Placement
from infra.storage import Storage

VARIANT_NAME = "primary"
_ASYNC_NAMESPACE = "AWS/SageMaker"
_INSTANCE_NAMESPACE = "/aws/sagemaker/Endpoints"
_CONTAINER_INTERFACES = [
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
]
_CONTAINER_NETWORK = [
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
]


class AsyncEndpoint(Construct):
    """The model, its endpoint configuration and the endpoint, with the role that they run under."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        model: ModelConfig,
        image: InferenceImage,
        storage: Storage,
        notices: CompletionQueue,
        placement: Placement | None,
        pager: AlarmTopics,
    ) -> None:
        """`placement` is where the containers are attached to a VPC, if they are."""
        super().__init__(scope, construct_id)
        self.model = model
        self.endpoint_name = endpoint_name(config.stage, model)
        self._config = config
        self._placement = placement
        log_group = self._log_group()
        role = self._role(image, storage, notices, log_group)
        sagemaker_model = self._sagemaker_model(role, image, storage)
        self.endpoint = sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=self.endpoint_name,
            endpoint_config_name=self._endpoint_config(
                sagemaker_model, image, storage, notices
            ).attr_endpoint_config_name,
            retain_all_variant_properties=True,  # an update keeps the instances that scaling has chosen
        )
        self.endpoint.node.add_dependency(log_group)
        self._watch(pager)

    def announce(self, *after: Construct) -> None:
        """Tells the API which endpoint serves the model, once `after` is there too."""
        parameter = ssm.StringParameter(
            self,
            "Current",
            parameter_name=endpoint_parameter(self._config.stage, self.model.name),
            string_value=self.endpoint.attr_endpoint_name,
            description=f"The endpoint that serves {self.model.name} now.",
        )
        parameter.node.add_dependency(*after)

    def metric(self, name: str, statistic: str) -> cloudwatch.Metric:
        """A metric of the endpoint's queue. Its one dimension is the endpoint."""
        return cloudwatch.Metric(
            namespace=_ASYNC_NAMESPACE,
            metric_name=name,
            dimensions_map={"EndpointName": self.endpoint_name},
            statistic=statistic,
            period=MINUTE,
        )

    def instance_metric(self, name: str, statistic: str) -> cloudwatch.Metric:
        """A metric of the endpoint's instances; each reports once a minute."""
        return cloudwatch.Metric(
            namespace=_INSTANCE_NAMESPACE,
            metric_name=name,
            dimensions_map={
                "EndpointName": self.endpoint_name,
                "VariantName": VARIANT_NAME,
            },
            statistic=statistic,
            period=MINUTE,
        )

    def _log_group(self) -> logs.LogGroup:
        """The group that SageMaker writes to. Made here, it has a retention and goes with the stack."""
        return logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/sagemaker/Endpoints/{self.endpoint_name}",
            retention=self._config.log_retention,
            removal_policy=self._config.removal_policy,
        )

    def _role(
        self, image: InferenceImage, storage: Storage, notices: CompletionQueue, log_group: logs.LogGroup
    ) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        image.grant_pull(role)
        storage.grant_container(role)
        notices.grant_publish(role)
        if self.model.compile:
            storage.grant_compiled(role)
        for served in self.model.served:
            match served.source:
                case S3Source() as source:
                    storage.grant_model(role, served.name, source)
                case HubSource(token_secret_arn=str(arn)):
                    self._allow(role, ["secretsmanager:GetSecretValue"], arn)
        log_group.grant(role, "logs:CreateLogGroup", "logs:DescribeLogStreams")
        log_group.grant_write(role)
        if self._placement:
            self._allow_attachment(role)
        accept(role, {"IAM5[Resource::*]": "ecr:GetAuthorizationToken cannot be limited to a resource."})
        return role

    def _allow_attachment(self, role: iam.Role) -> None:
        """Lets SageMaker attach the containers to the VPC."""
        stack = cdk.Stack.of(self)
        kinds = ("network-interface", "subnet", "security-group")
        arns = [stack.format_arn(service="ec2", resource=kind, resource_name="*") for kind in kinds]
        self._allow(role, _CONTAINER_INTERFACES, *arns)
        self._allow(role, _CONTAINER_NETWORK, "*")
        for kind in kinds:
            finding = f"IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:{kind}/*]"
            accept(role, {finding: "SageMaker makes the network interfaces; these actions need all three."})

    @staticmethod
    def _allow(role: iam.Role, actions: list[str], *arns: str) -> None:
        iam.Grant.add_to_principal(grantee=role, actions=actions, resource_arns=list(arns))

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
                    subnets=list(self._placement.subnet_ids),
                    security_group_ids=list(self._placement.security_group_ids),
                )
                if self._placement
                else None
            ),
        )
        model.node.add_dependency(role)  # SageMaker tries the role's permissions at once
        return model

    def _environment(self, storage: Storage) -> ContainerEnvironment:
        model = self.model
        return ContainerEnvironment(
            stage=self._config.stage,
            model=model.declaration,
            model_source=model.source if isinstance(model.source, HubSource) else None,
            companions=model.companions,
            model_memory_gib=model.model_memory_gib,
            data_bucket_name=storage.data_bucket.bucket_name,
            models_bucket_name=storage.models_bucket.bucket_name,
            log_prompts=self._config.log_prompts,
            max_batch_size=model.max_batch_size,
            fixed_batch_size=model.fixed_batch_size,
            compile=model.compile,
            safety_mode=model.safety.mode,
            safety_checker=model.safety.checker and storage.safety_checker_prefix(model.safety.checker),
            watermark=model.watermark,
        )

    def _endpoint_config(
        self, model: sagemaker.CfnModel, image: InferenceImage, storage: Storage, notices: CompletionQueue
    ) -> sagemaker.CfnEndpointConfig:
        bucket = storage.data_bucket
        properties = sagemaker.CfnEndpointConfig
        types = self.model.instance_types
        pools = [
            properties.InstancePoolProperty(instance_type=each, priority=place)
            for place, each in enumerate(types, start=1)
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
                        success_topic=notices.success_topic.topic_arn,
                        error_topic=notices.error_topic.topic_arn,
                    ),
                ),
            ),
        )

    def _watch(self, pager: AlarmTopics) -> None:
        alarms = self._config.alarms
        name = self.model.name
        pager.watch(
            self,
            "backlog-age",
            metric=self.metric("ApproximateAgeOfOldestRequest", "Maximum"),
            threshold=alarms.backlog_age_s,
            minutes=5,
            severity=Severity.WARNING,
            summary=f"Requests to {name} wait for more than {alarms.backlog_age_s} s.",
        )
        pager.watch(
            self,
            "wake-up-slow",
            metric=self.metric("HasBacklogWithoutCapacity", "Maximum"),
            threshold=0,
            minutes=alarms.wake_up_s // 60,
            severity=Severity.CRITICAL,
            summary=f"Requests to {name} have found no instance for {alarms.wake_up_s} s.",
        )
        pager.watch(
            self,
            "gpu-memory",
            metric=self.instance_metric("GPUMemoryUtilization", "Maximum"),
            threshold=alarms.gpu_memory_percent,
            minutes=5,
            severity=Severity.WARNING,
            summary=f"The GPU's memory at {name} is more than {alarms.gpu_memory_percent:g} % full.",
        )
