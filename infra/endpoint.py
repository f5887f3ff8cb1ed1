"""A model's asynchronous endpoint."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from inference.contract import keys
from inference.contract.environment import ContainerEnvironment
from infra.config import ModelConfig
from infra.image import InferenceImage
from infra.notices import Notices
from infra.storage import Storage

VARIANT_NAME = "primary"


class AsyncEndpoint(Construct):
    """The model, its endpoint configuration and the endpoint, with the role that they run under."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        model: ModelConfig,
        image: InferenceImage,
        storage: Storage,
        notices: Notices,
    ) -> None:
        super().__init__(scope, construct_id)
        self.model = model
        role = self._role(image, storage, notices)
        sagemaker_model = self._sagemaker_model(role, image, storage)
        config = self._endpoint_config(sagemaker_model, storage, notices)
        self.endpoint = sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_config_name=config.attr_endpoint_config_name,
            retain_all_variant_properties=True,  # an update keeps the instances that scaling has chosen
        )
        self.endpoint_name = self.endpoint.attr_endpoint_name

    def grant_invoke(self, grantee: iam.IGrantable) -> None:
        """Lets the grantee submit asynchronous invocations."""
        arn = self.endpoint.ref  # not built from the name: SageMaker's ARNs are in lower case
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["sagemaker:InvokeEndpointAsync"], resource_arns=[arn]
        )

    def _role(self, image: InferenceImage, storage: Storage, notices: Notices) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        image.grant_pull(role)
        storage.grant_container(role, self.model.name)
        notices.grant_publish(role)
        logs_arn = cdk.Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws/sagemaker/Endpoints/*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        iam.Grant.add_to_principal(
            grantee=role,
            actions=[
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ],
            resource_arns=[logs_arn],
        )
        return role

    def _sagemaker_model(self, role: iam.Role, image: InferenceImage, storage: Storage) -> sagemaker.CfnModel:
        environment = ContainerEnvironment(
            model=self.model.declaration, data_bucket_name=storage.data_bucket.bucket_name
        )
        model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=role.role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=image.uri,
                environment=environment.variables(),
                model_data_source=sagemaker.CfnModel.ModelDataSourceProperty(
                    s3_data_source=sagemaker.CfnModel.S3DataSourceProperty(
                        compression_type="None",
                        s3_data_type="S3Prefix",
                        s3_uri=storage.model_prefix(self.model.name),
                    )
                ),
            ),
        )
        model.node.add_dependency(role)  # SageMaker tries the role's permissions at once
        return model

    def _endpoint_config(
        self, model: sagemaker.CfnModel, storage: Storage, notices: Notices
    ) -> sagemaker.CfnEndpointConfig:
        bucket = storage.data_bucket
        properties = sagemaker.CfnEndpointConfig
        return sagemaker.CfnEndpointConfig(
            self,
            "Config",
            production_variants=[
                properties.ProductionVariantProperty(
                    variant_name=VARIANT_NAME,
                    model_name=model.attr_model_name,
                    instance_type=self.model.instance_type,
                    initial_instance_count=max(1, self.model.scaling.min_instances),
                    initial_variant_weight=1,
                    inference_ami_version=self.model.inference_ami_version,
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
                    notification_config=properties.AsyncInferenceNotificationConfigProperty(
                        success_topic=notices.success_topic.topic_arn,
                        error_topic=notices.error_topic.topic_arn,
                    ),
                ),
            ),
        )
