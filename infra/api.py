"""The HTTP API and its Lambda function."""

import json
from typing import Any, assert_never

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from contract.environment import ANSWER_S, WAIT_S, ApiEnvironment
from infra.alarms import MINUTE, AlarmTopics, Severity
from infra.api_domain import ApiDomain
from infra.api_methods import add_methods, method_options, public_methods
from infra.config import ApiKeyAuth, CognitoAuth, DeploymentConfig, IamAuth
from infra.config.api import DEFAULT_KEY
from infra.endpoint_access import grant_invoke
from infra.firewall import Firewall
from infra.functions import SERVICE_NAME, JobsFunction, model_endpoints
from infra.gateway_responses import add_gateway_responses
from infra.key_authorizer import KeyAuthorizer
from infra.log_groups import NamedLogGroup, add_log_group
from infra.nag import acknowledge
from infra.private_access import private_endpoint
from infra.signing_secret import SigningSecret
from infra.storage import Storage
from infra.webhook_queue import WebhookQueue

_FIELD = apigateway.AccessLogField
_ACCESS_LOG = {
    "requestId": _FIELD.context_request_id(),
    "requestTime": _FIELD.context_request_time(),
    "ip": _FIELD.context_identity_source_ip(),
    "apiKeyId": _FIELD.context_identity_api_key_id(),
    "httpMethod": _FIELD.context_http_method(),
    "path": _FIELD.context_path(),
    "resourcePath": _FIELD.context_resource_path(),
    "protocol": _FIELD.context_protocol(),
    "status": _FIELD.context_status(),
    "errorType": _FIELD.context_error_response_type(),
    "wafResponseCode": _FIELD.context_waf_response_code(),
    "responseLength": _FIELD.context_response_length(),
}
"""An entry of the access log. `apiKeyId` names the key, and is not the key. `ip` is a server of CloudFront
for requests of the page: API Gateway writes no headers to the log."""


class JobsApi(Construct):
    """The REST API, with authentication, throttling and an optional firewall.

    Attributes:
        url: the address of the API, without a slash at its end.
        api_keys: the keys that callers send, by name; empty if the stage uses another kind of authentication.
        domain: the domain name of the stage's own; None if it has none.
        firewall: None if the stage has none.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        storage: Storage,
        webhook_queue: WebhookQueue,
        signing_secret: SigningSecret,
        alarm_topics: AlarmTopics,
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._public_methods = public_methods(config.api)
        self._timeout = cdk.Duration.seconds(max(config.api.wait_s, WAIT_S) + ANSWER_S)
        function = self._function(storage, webhook_queue, signing_secret, alarm_topics)
        self.rest_api = self._rest_api()
        self._add_execution_log()
        add_methods(
            self.rest_api,
            function.live_version(),
            public=self._public_methods,
            authentication=self._authentication(alarm_topics),
            timeout=self._timeout,
        )
        self.api_keys = (
            self._api_keys(config.api.auth.keys) if isinstance(config.api.auth, ApiKeyAuth) else {}
        )
        self.firewall = self._firewall(storage)
        add_gateway_responses(self.rest_api, config.api)
        domain = config.api.domain
        self.domain = ApiDomain(self, "Domain", config=domain, rest_api=self.rest_api) if domain else None
        self.url = f"https://{domain.name}" if domain else self.rest_api.url.removesuffix("/")
        self._add_alarms(alarm_topics)
        self._acknowledge_findings()

    def _function(
        self,
        storage: Storage,
        webhook_queue: WebhookQueue,
        signing_secret: SigningSecret,
        alarm_topics: AlarmTopics,
    ) -> JobsFunction:
        config = self._config
        environment = ApiEnvironment(
            jobs_table_name=storage.jobs_table.table_name,
            estimates_table_name=storage.estimates_table.table_name,
            data_bucket_name=storage.data_bucket.bucket_name,
            models_bucket_name=storage.models_bucket.bucket_name,
            webhook_queue_url=webhook_queue.queue.queue_url,
            signing_secret_arn=signing_secret.arn,
            powertools_service_name=SERVICE_NAME,
            model_endpoints=model_endpoints(config),
            default_model=config.default_model,
            retention_days=config.retention_days,
            shared_jobs=config.api.has_shared_jobs,
            allowed_origins=config.api.allowed_origins,
            wait_s=config.api.wait_s,
            output_prefixes=config.output_prefixes,
            model_aliases=config.api.model_aliases,
        )
        function = JobsFunction(
            self,
            "Http",
            handler="jobs.http_handler.handler",
            description="The HTTP API.",
            environment=environment,
            timeout=self._timeout,
            config=config,
            alarm_topics=alarm_topics,
            snap_start=config.api.snap_start,
        )
        storage.grant_api_function(function.function)
        webhook_queue.grant_send(function.function)
        signing_secret.grant_read(function.function)
        grant_invoke(self, function.function, config)
        return function

    def _authentication(self, alarm_topics: AlarmTopics) -> dict[str, Any]:
        """The options of the methods that require authentication."""
        types = apigateway.AuthorizationType
        match self._config.api.auth:
            case ApiKeyAuth():
                keys = KeyAuthorizer(self, "Keys", config=self._config, alarm_topics=alarm_topics)
                return {
                    "api_key_required": True,
                    "authorizer": keys.authorizer,
                    "authorization_type": types.CUSTOM,
                }
            case IamAuth():
                return {"authorization_type": types.IAM}
            case CognitoAuth(user_pool_arn=arn, scopes=scopes):
                pool = cognito.UserPool.from_user_pool_arn(self, "UserPool", arn)
                authorizer = apigateway.CognitoUserPoolsAuthorizer(
                    self, "Authorizer", cognito_user_pools=[pool]
                )
                return {
                    "authorizer": authorizer,
                    "authorization_type": types.COGNITO,
                    "authorization_scopes": list(scopes) or None,
                }
            case auth:
                assert_never(auth)

    def _rest_api(self) -> apigateway.RestApi:
        config = self._config
        access_log = add_log_group(self, "AccessLog", retention=config.log_retention)
        settings: dict[str, Any] = {
            "metrics_enabled": True,
            "logging_level": apigateway.MethodLoggingLevel.ERROR,
            "data_trace_enabled": False,  # request bodies contain prompts
        }
        return apigateway.RestApi(
            self,
            "RestApi",
            rest_api_name=f"stable-diffusion-{config.stage}",
            **self._reachability(),
            api_key_source_type=self._key_source(),
            binary_media_types=["multipart/form-data"],  # files in forms reach the function as they were sent
            cloud_watch_role=False,  # an account has one for all APIs: infra/api_gateway_logs.yaml
            deploy_options=apigateway.StageOptions(
                stage_name=config.stage,
                throttling_rate_limit=config.api.rate_limit,
                throttling_burst_limit=config.api.burst_limit,
                method_options=method_options(self._public_methods, settings),
                tracing_enabled=config.tracing,
                **settings,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG)),
            ),
        )

    def _key_source(self) -> apigateway.ApiKeySourceType | None:
        has_keys = isinstance(self._config.api.auth, ApiKeyAuth)
        return apigateway.ApiKeySourceType.AUTHORIZER if has_keys else None

    def _add_execution_log(self) -> None:
        """Limits the age of the log that API Gateway creates for the stage's errors."""
        NamedLogGroup(
            self,
            "ExecutionLog",
            name=f"API-Gateway-Execution-Logs_{self.rest_api.rest_api_id}/{self._config.stage}",
            retention=self._config.log_retention,
        )

    def _reachability(self) -> dict[str, Any]:
        """The properties that decide from where the API can be reached."""
        api = self._config.api
        if not api.vpc_endpoint_ids:
            return {"endpoint_types": [apigateway.EndpointType.REGIONAL]}
        return private_endpoint(
            self,
            api.vpc_endpoint_ids,
            signed=isinstance(api.auth, IamAuth),
            public=[each.permission for each in self._public_methods],
        )

    def _api_keys(self, names: tuple[str, ...]) -> dict[str, apigateway.IApiKey]:
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
        keys = {}
        for name in names:
            keys[name] = self.rest_api.add_api_key(
                "ApiKey" if name == DEFAULT_KEY else f"ApiKey-{name}",
                api_key_name=f"stable-diffusion-{self._config.stage}-{name}",
            )
            plan.add_api_key(keys[name])
        return keys

    def _firewall(self, storage: Storage) -> Firewall | None:
        limit = self._config.api.firewall_requests_per_5_minutes
        if limit is None:
            return None
        return Firewall(
            self,
            "Firewall",
            stage_arn=self.rest_api.deployment_stage.stage_arn,
            requests_per_5_minutes=limit,
            has_page=self._config.page is not None,
            key=storage.key,
        )

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
        }
        if self._config.api.firewall_requests_per_5_minutes is None:
            findings["APIG3"] = "A firewall is optional: api.firewall_requests_per_5_minutes adds it."
        if isinstance(self._config.api.auth, ApiKeyAuth):
            findings["COG4"] = "The stage authenticates callers with an API key instead of Cognito."
        elif isinstance(self._config.api.auth, IamAuth):
            findings["COG4"] = "The stage authenticates callers with signed AWS requests (SigV4)."
        acknowledge(self, findings)
