"""The HTTP API and its Lambda function."""

from typing import assert_never

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from contract.environment import ApiEnvironment, ModelEndpoint
from infra.alarms import MINUTE, AlarmTopics, Severity
from infra.config import ApiKeyAuth, CognitoAuth, DeploymentConfig, IamAuth
from infra.endpoint_names import endpoint_parameter, endpoint_prefix
from infra.firewall import Firewall
from infra.functions import SERVICE_NAME, JobsFunction
from infra.gateway_responses import add_gateway_responses
from infra.nag import acknowledge
from infra.storage import Storage


class JobsApi(Construct):
    """The REST API under /v1/, with authentication, throttling and an optional firewall.

    Attributes:
        api_key: the key that callers send; None if the stage uses another kind of authentication.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        storage: Storage,
        alarm_topics: AlarmTopics,
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        function = self._function(storage, alarm_topics)
        self.rest_api = self._rest_api()
        self.rest_api.root.add_resource("v1").add_proxy(
            default_integration=apigateway.LambdaIntegration(function.function, allow_test_invoke=False),
            default_method_options=self._method_options(),
        )
        self.api_key = self._api_key() if isinstance(config.api.auth, ApiKeyAuth) else None
        if config.api.firewall_requests_per_5_minutes is not None:
            Firewall(
                self,
                "Firewall",
                stage_arn=self.rest_api.deployment_stage.stage_arn,
                requests_per_5_minutes=config.api.firewall_requests_per_5_minutes,
            )
        add_gateway_responses(self.rest_api)
        self._add_alarms(alarm_topics)
        self._acknowledge_findings()

    def _function(self, storage: Storage, alarm_topics: AlarmTopics) -> JobsFunction:
        config = self._config
        environment = ApiEnvironment(
            jobs_table_name=storage.jobs_table.table_name,
            data_bucket_name=storage.data_bucket.bucket_name,
            powertools_service_name=SERVICE_NAME,
            model_endpoints=tuple(
                ModelEndpoint(
                    model=served.declaration,
                    endpoint_parameter=endpoint_parameter(config.stage, model.name),
                    invocation_timeout_s=model.invocation_timeout_s,
                    request_ttl_s=model.request_ttl_s,
                )
                for model in config.models
                for served in model.served
            ),
            default_model=config.default_model,
            retention_days=config.retention_days,
        )
        function = JobsFunction(
            self,
            "Http",
            handler="jobs.http_handler.handler",
            description="HTTP API: submits, returns and cancels jobs.",
            environment=environment,
            timeout=cdk.Duration.seconds(20),
            config=config,
            alarm_topics=alarm_topics,
        )
        storage.grant_api_function(function.function)
        self._grant_invoke(function.function)
        return function

    def _grant_invoke(self, grantee: iam.IGrantable) -> None:
        """Allows reading the names of the models' endpoints from SSM and submitting invocations to them."""
        stack = cdk.Stack.of(self)
        for model in self._config.models:
            ssm.StringParameter.from_string_parameter_attributes(
                self,
                f"Endpoint-{model.name}",
                parameter_name=endpoint_parameter(self._config.stage, model.name),
                force_dynamic_reference=True,
            ).grant_read(grantee)
            name = f"{endpoint_prefix(self._config.stage, model.name)}*"
            arn = stack.format_arn(service="sagemaker", resource="endpoint", resource_name=name)
            iam.Grant.add_to_principal(
                grantee=grantee, actions=["sagemaker:InvokeEndpointAsync"], resource_arns=[arn]
            )
            resource = f"arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>:endpoint/{name}"
            acknowledge(
                grantee.grant_principal,
                {
                    f"IAM5[Resource::{resource}]": (
                        "The endpoint's name ends with a hash of its instance types."
                    )
                },
            )

    def _method_options(self) -> apigateway.MethodOptions:
        types = apigateway.AuthorizationType
        match self._config.api.auth:
            case ApiKeyAuth():
                return apigateway.MethodOptions(api_key_required=True, authorization_type=types.NONE)
            case IamAuth():
                return apigateway.MethodOptions(authorization_type=types.IAM)
            case CognitoAuth(user_pool_arn=arn, scopes=scopes):
                pool = cognito.UserPool.from_user_pool_arn(self, "UserPool", arn)
                authorizer = apigateway.CognitoUserPoolsAuthorizer(
                    self, "Authorizer", cognito_user_pools=[pool]
                )
                return apigateway.MethodOptions(
                    authorizer=authorizer,
                    authorization_type=types.COGNITO,
                    authorization_scopes=list(scopes) or None,
                )
            case auth:
                assert_never(auth)

    def _rest_api(self) -> apigateway.RestApi:
        config = self._config
        access_log = logs.LogGroup(
            self, "AccessLog", retention=config.log_retention, removal_policy=config.removal_policy
        )
        return apigateway.RestApi(
            self,
            "RestApi",
            rest_api_name=f"stable-diffusion-{config.stage}",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=config.removal_policy,
            deploy_options=apigateway.StageOptions(
                stage_name=config.stage,
                throttling_rate_limit=config.api.rate_limit,
                throttling_burst_limit=config.api.burst_limit,
                metrics_enabled=True,
                tracing_enabled=config.tracing,
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,  # request bodies contain prompts
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
                    caller=False,
                    http_method=True,
                    ip=True,
                    protocol=True,
                    request_time=True,
                    resource_path=True,
                    response_length=True,
                    status=True,
                    user=False,
                ),
            ),
        )

    def _api_key(self) -> apigateway.IApiKey:
        config = self._config.api
        plan = self.rest_api.add_usage_plan(
            "UsagePlan",
            api_stages=[
                apigateway.UsagePlanPerApiStage(api=self.rest_api, stage=self.rest_api.deployment_stage)
            ],
            throttle=apigateway.ThrottleSettings(
                rate_limit=config.rate_limit, burst_limit=config.burst_limit
            ),
        )
        key = self.rest_api.add_api_key("ApiKey")
        plan.add_api_key(key)
        return key

    def _add_alarms(self, alarm_topics: AlarmTopics) -> None:
        alarm_topics.add_alarm(
            self,
            "api-errors",
            metric=self.rest_api.metric_server_error(period=MINUTE, statistic="Sum"),
            threshold=0,
            minutes=3,
            severity=Severity.CRITICAL,
            summary="The API has returned 5xx responses in each of the last three minutes.",
        )

    def _acknowledge_findings(self) -> None:
        findings = {
            "APIG2": "The Lambda function validates every request against the contract.",
            (
                "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AmazonAPIGatewayPushToCloudWatchLogs]"
            ): "API Gateway requires this managed policy for the account's logging role.",
        }
        if self._config.api.firewall_requests_per_5_minutes is None:
            findings["APIG3"] = "A firewall is optional: api.firewall_requests_per_5_minutes adds it."
        if isinstance(self._config.api.auth, ApiKeyAuth):
            findings |= {
                "APIG4": "The stage authenticates callers with an API key instead of an authorizer.",
                "COG4": "The stage authenticates callers with an API key instead of Cognito.",
            }
        elif isinstance(self._config.api.auth, IamAuth):
            findings["COG4"] = "The stage authenticates callers with signed AWS requests (SigV4)."
        acknowledge(self, findings)
