"""Lambda functions of the jobs package."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import region_info
from constructs import Construct

from contract.environment import Environment, ModelEndpoint
from infra.alarms import MINUTE, AlarmTopics, Severity
from infra.bundling import functions_code
from infra.config import DeploymentConfig, InvalidConfigurationError
from infra.endpoint_names import endpoint_parameter
from infra.log_groups import add_log_group
from infra.nag import acknowledge

SERVICE_NAME = "jobs"
_POWERTOOLS_ACCOUNTS = {"aws": "017000801446", "aws-cn": "498634801083"}
"""The accounts that publish the Powertools layer, by partition.

https://docs.aws.amazon.com/powertools/python/latest/getting-started/install/
"""

_REGIONS_WITHOUT_POWERTOOLS = ("cn-northwest-1",)
_MAPPING = "PowertoolsLayer"
_VARIABLES_BYTES = 4096
"""Lambda's limit for all environment variables of a function together."""


class JobsFunction(Construct):
    """A Lambda function with its role, log group and alarms.

    Attributes:
        function: the function itself, for grants.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: str,
        description: str,
        environment: Environment | None,
        timeout: cdk.Duration,
        config: DeploymentConfig,
        alarm_topics: AlarmTopics,
        snap_start: bool = False,
    ) -> None:
        """Creates the function.

        Args:
            scope: the parent construct.
            construct_id: the id within the parent.
            handler: the dotted name of the handler.
            description: of the function.
            environment: its variables; None if it has none.
            timeout: of an invocation.
            config: the stage's settings.
            alarm_topics: the topics of the alarms.
            snap_start: whether `live_version` starts from a snapshot of the initialized function.
        """
        super().__init__(scope, construct_id)
        log_group = add_log_group(self, "Logs", retention=config.log_retention)
        # The CDK's default role allows writing to every log group; this one allows this group only.
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            handler=handler,
            code=functions_code(),
            runtime=lambda_.Runtime.PYTHON_3_12,
            architecture=lambda_.Architecture.ARM_64,
            layers=[self._powertools(config.powertools_layer_version)],
            memory_size=512,
            timeout=timeout,
            environment=_variables(environment) if environment else None,
            role=role,
            log_group=log_group,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            tracing=lambda_.Tracing.ACTIVE if config.tracing else lambda_.Tracing.DISABLED,
        )
        acknowledge(
            self,
            {
                "IAM5[Resource::*]": "X-Ray's actions cannot be limited to a resource.",
                "L1": "The pinned Powertools layer is published for this Python version.",
            },
        )
        self._add_alarms(alarm_topics, handler)

    def live_version(self) -> lambda_.Alias:
        """An alias of the version that this deployment publishes. SnapStart applies to versions only."""
        return lambda_.Alias(self, "Live", alias_name="live", version=self.function.current_version)

    def _powertools(self, version: int) -> lambda_.ILayerVersion:
        stack = cdk.Stack.of(self)
        arn = stack.format_arn(
            service="lambda",
            account=_powertools_account(stack),
            resource="layer",
            resource_name=f"AWSLambdaPowertoolsPythonV3-python312-arm64:{version}",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        return lambda_.LayerVersion.from_layer_version_arn(self, "Powertools", arn)

    def _add_alarms(self, alarm_topics: AlarmTopics, handler: str) -> None:
        alarm_topics.add_alarm(
            self,
            "function-errors",
            metric=self.function.metric_errors(period=MINUTE, statistic="Sum"),
            threshold=0,
            minutes=3,
            severity=Severity.CRITICAL,
            summary=f"{handler} has failed in each of the last three minutes.",
        )
        alarm_topics.add_alarm(
            self,
            "function-throttles",
            metric=self.function.metric_throttles(period=MINUTE, statistic="Sum"),
            threshold=0,
            minutes=3,
            severity=Severity.WARNING,
            summary=f"Lambda throttles {handler}: the account's concurrency limit is reached.",
        )


def _powertools_account(stack: cdk.Stack) -> str:
    """The account that publishes the Powertools layer in the stack's region.

    Raises:
        InvalidConfigurationError: the layer is not published there.
    """
    if cdk.Token.is_unresolved(stack.region):  # the region of the credentials that deploy the stack
        return _powertools_accounts(stack).find_in_map(cdk.Aws.PARTITION, "Account")
    partition = region_info.RegionInfo.get(stack.region).partition or "aws"
    if partition not in _POWERTOOLS_ACCOUNTS or stack.region in _REGIONS_WITHOUT_POWERTOOLS:
        raise InvalidConfigurationError(
            f"environment.region is {stack.region}, where AWS does not publish the Lambda layer of "
            "Powertools for Python that powertools_layer_version names; choose a region of the partition "
            "aws, or cn-north-1"
        )
    return _POWERTOOLS_ACCOUNTS[partition]


def _powertools_accounts(stack: cdk.Stack) -> cdk.CfnMapping:
    """The mapping of the accounts, one for all functions of the stack."""
    present = stack.node.try_find_child(_MAPPING)
    if isinstance(present, cdk.CfnMapping):
        return present
    accounts = {partition: {"Account": account} for partition, account in _POWERTOOLS_ACCOUNTS.items()}
    return cdk.CfnMapping(stack, _MAPPING, mapping=accounts)


def model_endpoints(config: DeploymentConfig) -> tuple[ModelEndpoint, ...]:
    """The models of the stage with their endpoints, as the functions know them."""
    return tuple(
        ModelEndpoint(
            model=served.declaration,
            queue=model.name,
            endpoint_parameter=endpoint_parameter(config.stage, model.name),
            invocation_timeout_s=model.invocation_timeout_s,
            request_ttl_s=model.request_ttl_s,
            max_concurrent_invocations=model.max_concurrent_invocations,
        )
        for model in config.models
        for served in model.served
    )


def _variables(environment: Environment) -> dict[str, str]:
    """The environment variables of the function.

    Raises:
        InvalidConfigurationError: they exceed Lambda's limit; their size grows with the number of models.
    """
    variables = environment.variables()
    size = sum(len(name) + len(value) for name, value in variables.items())
    if size > _VARIABLES_BYTES:
        raise InvalidConfigurationError(
            "the models' names, defaults and limits, with output_prefixes, allowed_origins and "
            f"model_aliases, take {size:,} bytes of a Lambda function's environment, which is limited to "
            f"{_VARIABLES_BYTES:,}; "
            "remove settings that equal their defaults, shorten these lists, or deploy fewer models"
        )
    return variables
