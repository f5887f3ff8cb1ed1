import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from aws_cdk.assertions import Match, Template

from contract.environment import ApiEnvironment
from tests.conftest import ROOT
from tests.infra.conftest import Templates, only, synthesize, text
from tests.infra.endpoints import model
from tests.infra.functions import (
    API,
    AUTHORIZER,
    actions,
    arns,
    function,
    prefixes,
    resolved,
    statements,
    variables,
)

PUBLIC = {(method, path) for method in ("GET", "HEAD", "OPTIONS") for path in ("docs", "openapi.json")}


def methods(template: Template, *, public: bool) -> list[dict[str, Any]]:
    """The methods that browsers call without authentication, or all others."""
    paths = {
        name: each["Properties"]["PathPart"]
        for name, each in template.find_resources("AWS::ApiGateway::Resource").items()
    }
    found = [each["Properties"] for each in template.find_resources("AWS::ApiGateway::Method").values()]
    return [
        each
        for each in found
        if ((each["HttpMethod"], paths.get(each["ResourceId"].get("Ref"))) in PUBLIC) is public
    ]


def test_every_method_but_the_public_ones_requires_the_api_key(small: Templates) -> None:
    assert all(each["ApiKeyRequired"] is True for each in methods(small.api, public=False))
    assert len(methods(small.api, public=False)) == 5


def test_an_authorizer_finds_the_key_and_no_decision_of_it_is_kept(small: Templates) -> None:
    (name,) = small.api.find_resources("AWS::ApiGateway::Authorizer")
    authorizer = only(small.api, "AWS::ApiGateway::Authorizer")
    assert (authorizer["Type"], authorizer["AuthorizerResultTtlInSeconds"]) == ("REQUEST", 0)
    assert not authorizer.get("IdentitySource")
    assert only(small.api, "AWS::ApiGateway::RestApi")["ApiKeySourceType"] == "AUTHORIZER"
    for each in methods(small.api, public=False):
        assert (each["AuthorizationType"], each["AuthorizerId"]) == ("CUSTOM", {"Ref": name})


def test_api_gateway_may_invoke_the_authorizer_which_may_access_nothing(small: Templates) -> None:
    granted = small.api.find_resources("AWS::Lambda::Permission").values()
    read = [each["Properties"] for each in granted if "KeysRead" in text(each["Properties"]["FunctionName"])]
    assert [(each["Principal"], each["Action"]) for each in read] == [
        ("apigateway.amazonaws.com", "lambda:InvokeFunction")
    ]
    assert "/authorizers/" in text(read[0]["SourceArn"])
    allowed = {action for each in statements(small, AUTHORIZER) for action in actions(each)}
    assert {action.partition(":")[0] for action in allowed} == {"logs", "xray"}
    assert function(small, AUTHORIZER).get("Environment", {}).get("Variables", {}) == {}


def test_other_kinds_of_authentication_have_no_authorizer_of_keys(large: Templates) -> None:
    large.api.resource_count_is("AWS::ApiGateway::Authorizer", 0)
    assert "ApiKeySourceType" not in only(large.api, "AWS::ApiGateway::RestApi")


def test_forms_with_files_reach_the_function_as_they_were_sent(small: Templates) -> None:
    assert only(small.api, "AWS::ApiGateway::RestApi")["BinaryMediaTypes"] == ["multipart/form-data"]


def test_the_description_of_the_api_is_public(small: Templates, large: Templates) -> None:
    for template in (small.api, large.api):
        public = methods(template, public=True)
        assert len(public) == len(PUBLIC)
        assert all(each["AuthorizationType"] == "NONE" for each in public)
        assert not any(each.get("ApiKeyRequired", False) for each in public)


def without_authentication(template: Template) -> set[tuple[str, str]]:
    """The methods that need no authentication, with their paths."""
    resources = {
        name: each["Properties"]
        for name, each in template.find_resources("AWS::ApiGateway::Resource").items()
    }
    found = [each["Properties"] for each in template.find_resources("AWS::ApiGateway::Method").values()]
    public = [
        (each["HttpMethod"], resources[each["ResourceId"]["Ref"]])
        for each in found
        if each["AuthorizationType"] == "NONE" and not each.get("ApiKeyRequired", False)
    ]
    return {(method, _path(resource, resources)) for method, resource in public}


def _path(resource: Any, resources: Mapping[str, Any]) -> str:
    """The path of a resource below the root."""
    parent = resource["ParentId"].get("Ref")
    return f"{_path(resources[parent], resources)}/{resource['PathPart']}" if parent else resource["PathPart"]


def test_preflights_need_no_authentication_if_pages_on_other_origins_may_call_the_api() -> None:
    origins = ["https://images.example.com"]
    pool = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbCdEfGhI"
    for auth in ({"type": "api_key"}, {"type": "iam"}, {"type": "cognito", "user_pool_arn": pool}):
        stage: dict[str, Any] = {"models": [model()], "api": {"auth": auth}}
        described = {(method, f"v1/{path}") for method, path in PUBLIC}
        assert without_authentication(synthesize(stage).api) == described
        stage["api"]["allowed_origins"] = origins
        templates = synthesize(stage)
        preflights = {("OPTIONS", "v1/{proxy+}"), ("OPTIONS", "{proxy+}")}
        assert without_authentication(templates.api) == described | preflights
        assert ApiEnvironment.read(variables(templates, API)).allowed_origins == (*origins,)


def test_the_function_knows_the_further_names_of_models() -> None:
    aliases = {"gpt-image-1": "demo"}
    templates = synthesize({"models": [model()], "api": {"model_aliases": aliases}})
    assert ApiEnvironment.read(variables(templates, API)).model_aliases == aliases
    assert ApiEnvironment.read(variables(synthesize({"models": [model()]}), API)).model_aliases is None


def test_preflights_have_the_limits_of_requests_for_themselves() -> None:
    api = {"allowed_origins": ["https://images.example.com"], "rate_limit": 5, "burst_limit": 9}
    template = synthesize({"models": [model()], "api": api}).api
    settings = only(template, "AWS::ApiGateway::Stage")["MethodSettings"]
    preflights = [each for each in settings if each["ResourcePath"].endswith("~1{proxy+}")]
    assert {each["ResourcePath"] for each in preflights} == {"/~1v1~1{proxy+}", "/~1{proxy+}"}
    for each in preflights:
        assert each["HttpMethod"] == "OPTIONS"
        assert (each["ThrottlingRateLimit"], each["ThrottlingBurstLimit"]) == (5, 9)
        assert (each["LoggingLevel"], each["DataTraceEnabled"]) == ("ERROR", False)


def test_each_key_of_the_stage_is_in_the_usage_plan_and_an_output() -> None:
    template = synthesize({"models": [model()], "api": {"auth": {"keys": ["default", "team"]}}}).api
    names = {
        each["Properties"]["Name"] for each in template.find_resources("AWS::ApiGateway::ApiKey").values()
    }
    assert names == {"stable-diffusion-test-default", "stable-diffusion-test-team"}
    template.resource_count_is("AWS::ApiGateway::UsagePlanKey", 2)
    assert {"ApiKeyId", "ApiKeyIdTeam"} <= set(template.find_outputs("*"))


def test_jobs_are_shared_unless_the_stage_has_several_callers() -> None:
    keys = {"keys": ["default", "team"]}
    for api, shared in (
        ({}, True),
        ({"auth": keys}, False),
        ({"auth": keys, "shared_jobs": True}, True),
        ({"auth": {"type": "iam"}}, False),
        ({"shared_jobs": False}, False),
    ):
        templates = synthesize({"models": [model()], "api": api})
        assert ApiEnvironment.read(variables(templates, API)).shared_jobs is shared


def test_the_usage_plan_of_the_key_limits_the_deployed_stage(small: Templates) -> None:
    small.api.has_resource_properties(
        "AWS::ApiGateway::UsagePlan",
        {
            "ApiStages": [{"ApiId": Match.any_value(), "Stage": Match.any_value(), "Throttle": {}}],
            "Throttle": {"RateLimit": 20, "BurstLimit": 40},
        },
    )
    small.api.resource_count_is("AWS::ApiGateway::UsagePlanKey", 1)


def test_with_iam_every_request_is_signed_and_there_is_no_key(large: Templates) -> None:
    signed = methods(large.api, public=False)
    assert signed
    assert all(each["AuthorizationType"] == "AWS_IAM" for each in signed)
    large.api.resource_count_is("AWS::ApiGateway::ApiKey", 0)


@pytest.mark.parametrize("scopes", [[], ["images/generate"]])
def test_with_cognito_every_method_requires_a_token_of_the_user_pool(scopes: list[str]) -> None:
    pool = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbCdEfGhI"
    template = synthesize(
        {
            "models": [{"name": "demo", "instance_types": ["ml.g5.xlarge"]}],
            "api": {"auth": {"type": "cognito", "user_pool_arn": pool, "scopes": scopes}},
        }
    ).api
    (authorizer,) = template.find_resources("AWS::ApiGateway::Authorizer")
    assert only(template, "AWS::ApiGateway::Authorizer")["ProviderARNs"] == [pool]
    authorized = methods(template, public=False)
    assert authorized
    for properties in authorized:
        assert properties["AuthorizationType"] == "COGNITO_USER_POOLS"
        assert properties["AuthorizerId"] == {"Ref": authorizer}
        assert properties.get("AuthorizationScopes", []) == scopes


def stage_settings(templates: Templates) -> Any:
    """The settings of all methods that have none of their own."""
    settings = only(templates.api, "AWS::ApiGateway::Stage")["MethodSettings"]
    (shared,) = (each for each in settings if each["HttpMethod"] == "*")
    return shared


def test_public_methods_cannot_use_up_the_rate_of_the_stage(small: Templates) -> None:
    settings = only(small.api, "AWS::ApiGateway::Stage")["MethodSettings"]
    public = [each for each in settings if each["HttpMethod"] != "*"]
    assert {(each["HttpMethod"], each["ResourcePath"]) for each in public} == {
        (method, f"/~1v1~1{path}") for method, path in PUBLIC
    }
    for each in public:
        assert (each["ThrottlingRateLimit"], each["ThrottlingBurstLimit"]) == (1, 5)
        assert (each["LoggingLevel"], each["DataTraceEnabled"]) == ("ERROR", False)


def test_the_stage_limits_requests(small: Templates, large: Templates) -> None:
    for templates, rate, burst in ((small, 20, 40), (large, 3, 7)):
        settings = stage_settings(templates)
        assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (rate, burst)
        assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")


def test_the_stage_logs_accesses_and_errors_but_no_bodies(small: Templates, large: Templates) -> None:
    for templates in (small, large):
        stage = only(templates.api, "AWS::ApiGateway::Stage")
        assert "ApiAccessLog" in str(stage["AccessLogSetting"]["DestinationArn"])
        settings = stage_settings(templates)
        assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("ERROR", False)
        assert settings["MetricsEnabled"] is True


def test_every_path_reaches_the_function_or_is_refused_for_its_credentials(small: Templates) -> None:
    """API Gateway's answer to a path without a method is the one to an unsigned request."""
    resources = small.api.find_resources("AWS::ApiGateway::Resource")
    children = {
        (each["Properties"]["PathPart"], "Fn::GetAtt" in each["Properties"]["ParentId"]): name
        for name, each in resources.items()
    }
    served = {
        json.dumps(each["Properties"]["ResourceId"])
        for each in small.api.find_resources("AWS::ApiGateway::Method").values()
        if each["Properties"]["HttpMethod"] == "ANY"
    }
    (rest_api,) = small.api.find_resources("AWS::ApiGateway::RestApi")
    assert json.dumps({"Fn::GetAtt": [rest_api, "RootResourceId"]}) in served
    assert json.dumps({"Ref": children["{proxy+}", True]}) in served
    assert json.dumps({"Ref": children["{proxy+}", False]}) in served


def test_the_access_log_names_the_key_of_a_request_and_the_reason_of_a_refusal(small: Templates) -> None:
    entry = json.loads(only(small.api, "AWS::ApiGateway::Stage")["AccessLogSetting"]["Format"])
    assert entry["requestId"] == "$context.requestId"
    assert entry["apiKeyId"] == "$context.identity.apiKeyId"
    assert entry["errorType"] == "$context.error.responseType"
    assert "$context.identity.apiKey" not in entry.values()


def test_the_log_of_api_gateways_errors_has_the_stages_retention(large: Templates) -> None:
    """API Gateway creates the log itself, without a retention."""
    retention = only(large.api, "Custom::LogRetention")
    (rest_api,) = large.api.find_resources("AWS::ApiGateway::RestApi")
    assert retention["LogGroupName"] == {
        "Fn::Join": ["", ["API-Gateway-Execution-Logs_", {"Ref": rest_api}, "/test"]]
    }
    assert retention["RetentionInDays"] == 7


def test_no_stage_sets_the_accounts_role_for_logs(small: Templates, large: Templates) -> None:
    """An account has one, which a stage would replace, and take away when it is deleted."""
    for templates in (small, large):
        templates.api.resource_count_is("AWS::ApiGateway::Account", 0)
        assert "AmazonAPIGatewayPushToCloudWatchLogs" not in text(templates.api.to_json())


def test_the_accounts_role_for_logs_outlives_its_stack() -> None:
    template = yaml.safe_load((ROOT / "infra" / "api_gateway_logs.yaml").read_text())
    account, role = (template["Resources"][name] for name in ("Account", "Role"))
    assert account["Type"] == "AWS::ApiGateway::Account"
    assert account["Properties"]["CloudWatchRoleArn"] == {"Fn::GetAtt": ["Role", "Arn"]}
    for resource in (account, role):
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    assert "RoleName" not in role["Properties"]  # the name of a role that remains would block the next stack
    (trusted,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert "AmazonAPIGatewayPushToCloudWatchLogs" in text(role["Properties"]["ManagedPolicyArns"])


def test_requests_are_traced_as_configured(small: Templates, large: Templates) -> None:
    for templates, traced in ((small, True), (large, False)):
        assert only(templates.api, "AWS::ApiGateway::Stage").get("TracingEnabled", False) is traced


def test_the_function_receives_the_models_and_their_endpoints(large: Templates) -> None:
    environment = ApiEnvironment.read(variables(large, API))
    served = [
        (each.model.name, each.endpoint_parameter, each.invocation_timeout_s, each.request_ttl_s)
        for each in environment.model_endpoints
    ]
    assert served == [
        ("first", "/stable-diffusion/test/endpoints/first", 300, 400),
        ("anime", "/stable-diffusion/test/endpoints/first", 300, 400),
        ("photo", "/stable-diffusion/test/endpoints/first", 300, 400),
        ("second", "/stable-diffusion/test/endpoints/second", 900, 21_600),
    ]
    assert environment.model_endpoints[0].model.limits.max_count == 2
    assert (environment.default_model, environment.retention_days) == ("first", 5)


@pytest.mark.parametrize(("wait_s", "timeout_s"), [(None, 29), (3, 29), (25, 29), (60, 64), (295, 299)])
def test_requests_may_wait_and_be_answered_before_a_timeout(wait_s: int | None, timeout_s: int) -> None:
    """API Gateway's limit is 29 seconds, unless a quota was raised."""
    api = {} if wait_s is None else {"wait_s": wait_s}
    templates = synthesize({"models": [model()], "api": api})
    assert ApiEnvironment.read(variables(templates, API)).wait_s == (wait_s or 25)
    assert function(templates, API)["Timeout"] == timeout_s
    methods = templates.api.find_resources("AWS::ApiGateway::Method").values()
    timeouts = {each["Properties"]["Integration"]["TimeoutInMillis"] for each in methods}
    assert timeouts == {timeout_s * 1000}
    origins = {
        each["CustomOriginConfig"].get("OriginReadTimeout")
        for each in only(templates.by_stack["Web"], "AWS::CloudFront::Distribution")["DistributionConfig"][
            "Origins"
        ]
        if "CustomOriginConfig" in each
    }
    assert origins == {min(max(30, (wait_s or 25) + 5), 60)}


def test_the_function_may_find_and_invoke_only_the_endpoints_of_its_stage(large: Templates) -> None:
    invoked = [resolved(arn) for arn in arns(large, API, "sagemaker:InvokeEndpointAsync")]
    assert [arn.rpartition(":")[2] for arn in invoked] == [
        "endpoint/sd-test-first-*",
        "endpoint/sd-test-second-*",
    ]
    read = [resolved(arn) for arn in arns(large, API, "ssm:GetParameter")]
    assert [arn.rpartition("/")[2] for arn in read] == ["first", "second"]


def test_the_function_may_only_access_its_own_prefixes(small: Templates) -> None:
    assert prefixes(small, API, "s3:PutObject") == {"/inputs/*", "/cancellations/*"}
    assert prefixes(small, API, "s3:GetObject") == {
        "/progress/*",
        "/previews/*",
        "/outputs/*",
        "/results/*",
        "/failures/*",
    }
    listed = [text(arn) for arn in arns(small, API, "s3:ListBucket")]
    assert [("StorageData" in arn, "StorageModels" in arn) for arn in listed] == [
        (True, False),
        (False, True),
    ]
    assert prefixes(small, API, "s3:DeleteObject") == {
        f"/{prefix}/*"
        for prefix in (
            "inputs",
            "starts",
            "progress",
            "previews",
            "cancellations",
            "outputs",
            "results",
            "failures",
        )
    }
