"""The HTTP API and the functions behind it."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from constructs import Construct

from inference.contract.environment import ApiEnvironment, CompletionEnvironment, ModelEndpoint
from inference.contract.problem import CONTENT_TYPE, ErrorCode, Problem
from infra.config import DeploymentConfig
from infra.endpoint import AsyncEndpoint
from infra.functions import SERVICE_NAME, JobsFunction
from infra.notices import CONSUMER_TIMEOUT, Notices
from infra.storage import Storage


class JobsApi(Construct):
    """POST /v1/jobs and the rest, with an API key and a usage plan in front."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        storage: Storage,
        endpoints: Sequence[AsyncEndpoint],
    ) -> None:
        super().__init__(scope, construct_id)
        function = self._function(config, storage, endpoints)
        self.rest_api = self._rest_api(config)
        self.rest_api.root.add_resource("v1").add_proxy(
            default_integration=apigateway.LambdaIntegration(function.function)
        )
        self.api_key = self._api_key(config)
        self._refusals()

    def _function(
        self, config: DeploymentConfig, storage: Storage, endpoints: Sequence[AsyncEndpoint]
    ) -> JobsFunction:
        environment = ApiEnvironment(
            jobs_table_name=storage.jobs_table.table_name,
            data_bucket_name=storage.data_bucket.bucket_name,
            powertools_service_name=SERVICE_NAME,
            model_endpoints=tuple(
                ModelEndpoint(model=each.model.declaration, endpoint_name=each.endpoint_name)
                for each in endpoints
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
            powertools_layer_version=config.powertools_layer_version,
        )
        storage.grant_api(function.function)
        for endpoint in endpoints:
            endpoint.grant_invoke(function.function)
        return function

    def _rest_api(self, config: DeploymentConfig) -> apigateway.RestApi:
        access_log = logs.LogGroup(self, "AccessLog", retention=logs.RetentionDays.ONE_MONTH)
        return apigateway.RestApi(
            self,
            "RestApi",
            rest_api_name=f"stable-diffusion-{config.stage}",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            default_method_options=apigateway.MethodOptions(api_key_required=True),
            cloud_watch_role=True,
            deploy_options=apigateway.StageOptions(
                stage_name=config.stage,
                throttling_rate_limit=config.api.rate_limit,
                throttling_burst_limit=config.api.burst_limit,
                metrics_enabled=True,
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

    def _api_key(self, config: DeploymentConfig) -> apigateway.IApiKey:
        plan = self.rest_api.add_usage_plan(
            "UsagePlan",
            api_stages=[
                apigateway.UsagePlanPerApiStage(api=self.rest_api, stage=self.rest_api.deployment_stage)
            ],
            throttle=apigateway.ThrottleSettings(
                rate_limit=config.api.rate_limit, burst_limit=config.api.burst_limit
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


class CompletionConsumer(Construct):
    """The function that settles jobs from the completion queue."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        storage: Storage,
        notices: Notices,
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
            powertools_layer_version=config.powertools_layer_version,
        )
        storage.grant_completion(function.function)
        function.function.add_event_source(
            event_sources.SqsEventSource(notices.queue, batch_size=10, report_batch_item_failures=True)
        )
