"""The HTTP API and the functions behind it."""

from typing import assert_never

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from contract.environment import ApiEnvironment, CompletionEnvironment, ModelEndpoint
from contract.problem import CONTENT_TYPE, ErrorCode, Problem
from infra.alarms import MINUTE, AlarmTopics, Severity
from infra.completion_queue import CONSUMER_TIMEOUT, CompletionQueue
from infra.config import ApiKeyAuth, CognitoAuth, DeploymentConfig, IamAuth
from infra.endpoint_names import endpoint_parameter, endpoint_prefix
from infra.firewall import Firewall
from infra.functions import SERVICE_NAME, JobsFunction
from infra.nag import accept
from infra.storage import Storage


class JobsApi(Construct):
    """POST /v1/jobs and the rest, with authentication and limits in front.

    Attributes:
        api_key: the key that callers send, where that is how they prove who they are.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        storage: Storage,
        pager: AlarmTopics,
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        function = self._function(storage, pager)
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
        self._refusals()
        self._watch(pager)
        self._account_for_findings()

    def _function(self, storage: Storage, pager: AlarmTopics) -> JobsFunction:
        config = self._config
        environment = ApiEnvironment(
            jobs_table_name=storage.jobs_table.table_name,
            data_bucket_name=storage.data_bucket.bucket_name,
            powertools_service_name=SERVICE_NAME,
            model_endpoints=tuple(
                ModelEndpoint(
                    model=served.declaration,
                    endpoint_parameter=endpoint_parameter(config.stage, each.name),
                    invocation_timeout_s=each.invocation_timeout_s,
                    request_ttl_s=each.request_ttl_s,
                )
                for each in config.models
                for served in each.served
            ),
            default_model=config.default_model,
            retention_days=config.retention_days,
        )
        function = JobsFunction(
            self,
            "Http",
            handler="jobs.http_handler.handler",
            description="Answers the HTTP API: submits jobs and shows them.",
            environment=environment,
            timeout=cdk.Duration.seconds(20),
            config=config,
            pager=pager,
        )
        storage.grant_api(function.function)
        self._grant_invoke(function.function)
        return function

    def _grant_invoke(self, grantee: iam.IGrantable) -> None:
        """Lets the function find the models' endpoints and submit to them, whatever they are called now."""
        stack = cdk.Stack.of(self)
        for model in self._config.models:
            ssm.StringParameter.from_string_parameter_attributes(
                self,
                f"Endpoint-{model.name}",
                parameter_name=endpoint_parameter(self._config.stage, model.name),
                force_dynamic_reference=True,
            ).grant_read(grantee)
            arn = stack.format_arn(
                service="sagemaker",
                resource="endpoint",
                resource_name=f"{endpoint_prefix(self._config.stage, model.name)}*",
            )
            iam.Grant.add_to_principal(
                grantee=grantee, actions=["sagemaker:InvokeEndpointAsync"], resource_arns=[arn]
            )
            name = f"{endpoint_prefix(self._config.stage, model.name)}*"
            resource = f"arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>:endpoint/{name}"
            accept(
                grantee.grant_principal,
                {f"IAM5[Resource::{resource}]": "Only the end of the name changes, with the instance types."},
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
                data_trace_enabled=False,  # bodies hold prompts
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
        limits = self._config.api
        plan = self.rest_api.add_usage_plan(
            "UsagePlan",
            api_stages=[
                apigateway.UsagePlanPerApiStage(api=self.rest_api, stage=self.rest_api.deployment_stage)
            ],
            throttle=apigateway.ThrottleSettings(
                rate_limit=limits.rate_limit, burst_limit=limits.burst_limit
            ),
        )
        key = self.rest_api.add_api_key("ApiKey")
        plan.add_api_key(key)
        return key

    def _refusals(self) -> None:
        """API Gateway's own refusals, in the shape of every other error."""
        types = apigateway.ResponseType
        for construct_id, kind, code, detail in (
            ("NoKey", types.INVALID_API_KEY, ErrorCode.FORBIDDEN, "Send a valid key as x-api-key."),
            (
                "NoRoute",
                types.MISSING_AUTHENTICATION_TOKEN,
                ErrorCode.ROUTE_NOT_FOUND,
                "Paths begin with /v1/.",
            ),
            ("Throttled", types.THROTTLED, ErrorCode.TOO_MANY_REQUESTS, "Slow down and try again."),
            ("Quota", types.QUOTA_EXCEEDED, ErrorCode.TOO_MANY_REQUESTS, "The key's quota is used up."),
            (
                "TooLarge",
                types.REQUEST_TOO_LARGE,
                ErrorCode.PAYLOAD_TOO_LARGE,
                "Send large pictures to S3 and name them by their s3:// URIs.",
            ),
            ("Failed", types.DEFAULT_5_XX, ErrorCode.INTERNAL, "The service failed; try again later."),
        ):
            problem = Problem.of(code, detail, request_id="$context.requestId")
            self.rest_api.add_gateway_response(
                construct_id,
                type=kind,
                status_code=str(problem.status),
                response_headers={"Content-Type": f"'{CONTENT_TYPE}'"},
                templates={"application/json": problem.model_dump_json()},
            )

    def _watch(self, pager: AlarmTopics) -> None:
        pager.watch(
            self,
            "api-errors",
            metric=self.rest_api.metric_server_error(period=MINUTE, statistic="Sum"),
            threshold=0,
            minutes=3,
            severity=Severity.CRITICAL,
            summary="The API has been answering with 5xx for three minutes.",
        )

    def _account_for_findings(self) -> None:
        findings = {
            "APIG2": "The function checks every request against the contract and answers with its errors.",
            (
                "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AmazonAPIGatewayPushToCloudWatchLogs]"
            ): "API Gateway asks for this managed policy to write its logs; it is the account's setting.",
        }
        if self._config.api.firewall_requests_per_5_minutes is None:
            findings["APIG3"] = "A web application firewall is an option of the stage: api.firewall_..."
        if isinstance(self._config.api.auth, ApiKeyAuth):
            findings |= {
                "APIG4": "Callers prove who they are with an API key; IAM and Cognito are options.",
                "COG4": "Callers prove who they are with an API key; IAM and Cognito are options.",
            }
        elif isinstance(self._config.api.auth, IamAuth):
            findings["COG4"] = "Callers sign their requests with AWS credentials."
        accept(self, findings)


class CompletionConsumer(Construct):
    """The function that settles jobs from the completion queue."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        storage: Storage,
        notices: CompletionQueue,
        pager: AlarmTopics,
    ) -> None:
        super().__init__(scope, construct_id)
        function = JobsFunction(
            self,
            "Settle",
            handler="jobs.completion_handler.handler",
            description="Settles jobs from SageMaker's notices.",
            environment=CompletionEnvironment(
                jobs_table_name=storage.jobs_table.table_name,
                data_bucket_name=storage.data_bucket.bucket_name,
                powertools_service_name=SERVICE_NAME,
            ),
            timeout=CONSUMER_TIMEOUT,
            config=config,
            pager=pager,
        )
        storage.grant_completion(function.function)
        function.function.add_event_source(
            event_sources.SqsEventSource(notices.queue, batch_size=10, report_batch_item_failures=True)
        )
