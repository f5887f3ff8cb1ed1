import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from aws_cdk.assertions import Match

from contract.environment import ApiEnvironment, CompletionEnvironment
from infra.config import InvalidConfigurationError
from tests.infra.conftest import Templates, only, synthesize

HTTP = {"Handler": "jobs.http_handler.handler"}
SETTLE = {"Handler": "jobs.completion_handler.handler"}


def function(templates: Templates, properties: dict[str, Any]) -> Any:
    ((_, resource),) = templates.api.find_resources(
        "AWS::Lambda::Function", {"Properties": properties}
    ).items()
    return resource["Properties"]


def readable(variables: dict[str, Any]) -> dict[str, str]:
    """The variables as CloudFormation would resolve them, with `deployed` for every reference."""
    return {name: "".join(pieces(value)) for name, value in variables.items()}


def pieces(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if "Fn::Join" in value:
        return [piece for part in value["Fn::Join"][1] for piece in pieces(part)]
    return ["deployed"]


def statements(templates: Templates, handler: str) -> list[Any]:
    role = function(templates, {"Handler": handler})["Role"]["Fn::GetAtt"][0]
    policies = templates.api.find_resources("AWS::IAM::Policy", {"Properties": {"Roles": [{"Ref": role}]}})
    return [
        each for policy in policies.values() for each in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def actions(statement: Any) -> list[str]:
    return statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]


def test_every_method_wants_the_api_key(small: Templates) -> None:
    methods = small.api.find_resources("AWS::ApiGateway::Method")
    assert methods
    assert all(method["Properties"]["ApiKeyRequired"] is True for method in methods.values())


def test_the_api_url_has_no_trailing_slash_so_that_a_links_path_can_be_appended(small: Templates) -> None:
    (output,) = small.api.find_outputs("ApiUrl").values()
    url = "".join(pieces(output["Value"]))
    assert url == "https://deployed.execute-api.deployed.deployed/deployed"
    assert urlsplit(url + "/v1/jobs/J").path == "/deployed/v1/jobs/J"  # the first segment is the stage


def test_the_key_belongs_to_a_plan_for_the_deployed_stage(small: Templates) -> None:
    small.api.has_resource_properties(
        "AWS::ApiGateway::UsagePlan",
        {
            "ApiStages": [{"ApiId": Match.any_value(), "Stage": Match.any_value(), "Throttle": {}}],
            "Throttle": {"RateLimit": 20, "BurstLimit": 40},
        },
    )
    small.api.resource_count_is("AWS::ApiGateway::UsagePlanKey", 1)


def test_with_iam_every_request_is_signed_and_there_is_no_key(large: Templates) -> None:
    methods = large.api.find_resources("AWS::ApiGateway::Method")
    assert methods
    assert all(each["Properties"]["AuthorizationType"] == "AWS_IAM" for each in methods.values())
    large.api.resource_count_is("AWS::ApiGateway::ApiKey", 0)


@pytest.mark.parametrize("scopes", [[], ["images/draw"]])
def test_with_cognito_a_token_of_the_pool_is_asked_for(scopes: list[str]) -> None:
    pool = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbCdEfGhI"
    template = synthesize(
        {
            "models": [{"name": "demo", "instance_types": ["ml.g5.xlarge"]}],
            "api": {"auth": {"type": "cognito", "user_pool_arn": pool, "scopes": scopes}},
        }
    ).api
    (authorizer,) = template.find_resources("AWS::ApiGateway::Authorizer")
    assert only(template, "AWS::ApiGateway::Authorizer")["ProviderARNs"] == [pool]
    methods = template.find_resources("AWS::ApiGateway::Method")
    for method in methods.values():
        properties = method["Properties"]
        assert properties["AuthorizationType"] == "COGNITO_USER_POOLS"
        assert properties["AuthorizerId"] == {"Ref": authorizer}
        assert properties.get("AuthorizationScopes", []) == scopes


def test_a_firewall_stands_in_front_when_it_is_asked_for(small: Templates, large: Templates) -> None:
    small.api.resource_count_is("AWS::WAFv2::WebACL", 0)
    rules = only(large.api, "AWS::WAFv2::WebACL")["Rules"]
    assert rules[0]["Statement"]["RateBasedStatement"]["Limit"] == 500
    association = only(large.api, "AWS::WAFv2::WebACLAssociation")
    (stage,) = large.api.find_resources("AWS::ApiGateway::Stage")
    assert {"Ref": stage} in association["ResourceArn"]["Fn::Join"][1]


def test_requests_are_traced_if_so_configured_and_bodies_never_logged(
    small: Templates, large: Templates
) -> None:
    for templates, traced in ((small, True), (large, False)):
        assert only(templates.api, "AWS::ApiGateway::Stage").get("TracingEnabled", False) is traced
        for properties in (HTTP, SETTLE):
            mode = function(templates, properties).get("TracingConfig", {}).get("Mode")
            assert (mode == "Active") is traced
        (settings,) = only(templates.api, "AWS::ApiGateway::Stage")["MethodSettings"]
        assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("ERROR", False)


def test_the_stage_is_throttled_and_logged(large: Templates) -> None:
    large.api.has_resource_properties(
        "AWS::ApiGateway::Stage",
        {
            "AccessLogSetting": Match.object_like({"DestinationArn": Match.any_value()}),
            "MethodSettings": [Match.object_like({"ThrottlingRateLimit": 3, "ThrottlingBurstLimit": 7})],
        },
    )


def test_the_gateways_own_refusals_are_problem_documents(small: Templates) -> None:
    found = small.api.find_resources("AWS::ApiGateway::GatewayResponse").values()
    answers = {each["Properties"]["ResponseType"]: each["Properties"] for each in found}
    for kind, status, code in (
        ("INVALID_API_KEY", "403", "forbidden"),
        ("THROTTLED", "429", "too_many_requests"),
        ("QUOTA_EXCEEDED", "429", "too_many_requests"),
        ("REQUEST_TOO_LARGE", "413", "payload_too_large"),
        ("DEFAULT_5XX", "500", "internal"),
    ):
        answer = answers[kind]
        problem = json.loads(answer["ResponseTemplates"]["application/json"])
        assert (answer["StatusCode"], str(problem["status"]), problem["code"]) == (status, status, code)
        headers = answer["ResponseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"


def test_the_functions_are_told_what_they_need_in_the_contracts_words(large: Templates) -> None:
    variables = readable(function(large, HTTP)["Environment"]["Variables"])
    environment = ApiEnvironment.read(variables)
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
    CompletionEnvironment.read(readable(function(large, SETTLE)["Environment"]["Variables"]))


def test_the_api_may_find_and_invoke_these_endpoints_and_no_others(large: Templates) -> None:
    def resources(action: str) -> list[str]:
        found = [s["Resource"] for s in statements(large, HTTP["Handler"]) if action in actions(s)]
        return [
            "".join(pieces(arn)) for each in found for arn in (each if isinstance(each, list) else [each])
        ]

    invoked = resources("sagemaker:InvokeEndpointAsync")
    assert [arn.rpartition(":")[2] for arn in invoked] == [
        "endpoint/sd-test-first-*",
        "endpoint/sd-test-second-*",
    ]
    read = resources("ssm:GetParameter")
    assert [arn.rpartition("/")[2] for arn in read] == ["first", "second"]


def test_the_functions_touch_only_their_own_prefixes(small: Templates) -> None:
    def prefixes(handler: str, action: str) -> set[str]:
        resources = [s["Resource"] for s in statements(small, handler) if action in actions(s)]
        arns = [arn for each in resources for arn in (each if isinstance(each, list) else [each])]
        return {arn["Fn::Join"][1][-1] for arn in arns}

    assert prefixes(HTTP["Handler"], "s3:PutObject") == {"/requests/*", "/inputs/*", "/cancellations/*"}
    assert prefixes(HTTP["Handler"], "s3:GetObject") == {"/progress/*", "/outputs/*"}
    assert prefixes(SETTLE["Handler"], "s3:GetObject") == {"/results/*", "/failures/*"}
    assert prefixes(SETTLE["Handler"], "s3:PutObject") == set()


def test_no_statement_has_a_wildcard_action_or_resource_that_aws_does_not_force(large: Templates) -> None:
    forced = {
        "ecr:GetAuthorizationToken",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    }
    ours = [template for name, template in large.by_stack.items() if name != "Image"]
    for template in ours:  # the image's build has the policies of the library that brings it
        for policy in template.find_resources("AWS::IAM::Policy").values():
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                assert not any("*" in action for action in actions(statement))
                assert statement["Resource"] != "*" or set(actions(statement)) <= forced


def test_the_queue_reports_failures_message_by_message(small: Templates) -> None:
    small.api.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {"BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"]},
    )


def test_the_functions_run_on_the_powertools_layer_with_logs_that_expire(small: Templates) -> None:
    for properties in (HTTP, SETTLE):
        settings = function(small, properties)
        (layer,) = settings["Layers"]
        assert "AWSLambdaPowertoolsPythonV3-python312-arm64:27" in json.dumps(layer)
        assert (settings["Runtime"], settings["Architectures"]) == ("python3.12", ["arm64"])
    small.api.all_resources_properties("AWS::Logs::LogGroup", {"RetentionInDays": 30})


def test_more_models_than_a_functions_environment_holds_are_refused_before_anything_is_deployed() -> None:
    defaults = {"width": 768, "height": 768, "steps": 25, "sampler": "dpmpp_2m_karras", "count": 2}
    models = [
        {
            "name": name,
            "instance_types": ["ml.g5.xlarge"],
            "companions": [{"name": f"{name}-{number}", "defaults": defaults} for number in range(16)],
        }
        for name in ("first", "second")
    ]
    with pytest.raises(
        InvalidConfigurationError, match="bytes of a function's environment, which holds 4,096"
    ):
        synthesize({"models": models})
