"""The Lambda functions."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from inference.contract.environment import Environment
from infra.bundling import functions_code

SERVICE_NAME = "jobs"
_POWERTOOLS_ACCOUNT = "017000801446"


class JobsFunction(Construct):
    """A function of the jobs package, with its log group."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: str,
        description: str,
        environment: Environment,
        timeout: cdk.Duration,
        powertools_layer_version: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            handler=handler,
            code=functions_code(),
            runtime=lambda_.Runtime.PYTHON_3_12,
            architecture=lambda_.Architecture.ARM_64,
            layers=[self._powertools(powertools_layer_version)],
            memory_size=512,
            timeout=timeout,
            environment=environment.variables(),
            log_group=logs.LogGroup(self, "Logs", retention=logs.RetentionDays.ONE_MONTH),
        )

    def _powertools(self, version: int) -> lambda_.ILayerVersion:
        arn = cdk.Stack.of(self).format_arn(
            service="lambda",
            account=_POWERTOOLS_ACCOUNT,
            resource="layer",
            resource_name=f"AWSLambdaPowertoolsPythonV3-python312-arm64:{version}",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        return lambda_.LayerVersion.from_layer_version_arn(self, "Powertools", arn)
