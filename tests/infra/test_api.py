import json
from typing import Any

from aws_cdk.assertions import Match

from inference.contract.environment import ApiEnvironment, CompletionEnvironment
from tests.infra.conftest import Templates

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


def test_the_key_belongs_to_a_plan_for_the_deployed_stage(large: Templates) -> None:
    large.api.has_resource_properties(
        "AWS::ApiGateway::UsagePlan",
        {
            "ApiStages": [{"ApiId": Match.any_value(), "Stage": Match.any_value(), "Throttle": {}}],
            "Throttle": {"RateLimit": 3, "BurstLimit": 7},
        },
    )
    large.api.resource_count_is("AWS::ApiGateway::UsagePlanKey", 1)


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
    assert [(each.model.name, each.endpoint_name) for each in environment.model_endpoints] == [
        ("first", "deployed"),
        ("second", "deployed"),
    ]
    assert environment.model_endpoints[0].model.limits.max_count == 2
    assert (environment.default_model, environment.retention_days) == ("first", 5)
    CompletionEnvironment.read(readable(function(large, SETTLE)["Environment"]["Variables"]))


def test_the_api_may_invoke_these_endpoints_and_no_others(large: Templates) -> None:
    (invoke,) = [
        s for s in statements(large, HTTP["Handler"]) if "sagemaker:InvokeEndpointAsync" in actions(s)
    ]
    assert actions(invoke) == ["sagemaker:InvokeEndpointAsync"]
    arns = [json.dumps(arn) for arn in invoke["Resource"]]
    assert len(arns) == 2
    assert all("Fn::ImportValue" in arn and "RefAsyncEndpoint" in arn for arn in arns)


def test_the_functions_touch_only_their_own_prefixes(small: Templates) -> None:
    def prefixes(handler: str, action: str) -> set[str]:
        resources = [s["Resource"] for s in statements(small, handler) if action in actions(s)]
        arns = [arn for each in resources for arn in (each if isinstance(each, list) else [each])]
        return {arn["Fn::Join"][1][-1] for arn in arns}

    assert prefixes(HTTP["Handler"], "s3:PutObject") == {"/requests/*"}
    assert prefixes(HTTP["Handler"], "s3:GetObject") == {"/progress/*", "/outputs/*"}
    assert prefixes(SETTLE["Handler"], "s3:GetObject") == {"/results/*", "/failures/*"}
    assert prefixes(SETTLE["Handler"], "s3:PutObject") == set()


def test_no_statement_has_a_wildcard_action_or_resource_that_aws_does_not_force(large: Templates) -> None:
    forced = {"ecr:GetAuthorizationToken"}
    for template in large.all():
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
