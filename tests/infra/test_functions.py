from typing import Any

import pytest

from infra.config import InvalidConfigurationError
from tests.infra.conftest import Templates, synthesize, text
from tests.infra.endpoints import model
from tests.infra.functions import API, AUTHORIZER, HANDLERS, actions, function, resolved


@pytest.mark.parametrize("handler", HANDLERS)
def test_the_runtime_memory_and_powertools_layer(small: Templates, handler: str) -> None:
    settings = function(small, handler)
    (layer,) = settings["Layers"]
    assert "AWSLambdaPowertoolsPythonV3-python312-arm64:27" in text(layer)
    assert (settings["Runtime"], settings["Architectures"]) == ("python3.12", ["arm64"])
    assert settings["MemorySize"] == 512


def test_the_powertools_layer_is_that_of_the_partition(small: Templates) -> None:
    mapping = small.api.to_json()["Mappings"]["PowertoolsLayer"]
    assert {name: each["Account"] for name, each in mapping.items()} == {
        "aws": "017000801446",
        "aws-cn": "498634801083",
    }
    (layer,) = function(small, API)["Layers"]
    assert {"Fn::FindInMap": ["PowertoolsLayer", {"Ref": "AWS::Partition"}, "Account"]} in layer["Fn::Join"][
        1
    ]


@pytest.mark.parametrize(
    ("region", "account"), [("eu-south-2", "017000801446"), ("cn-north-1", "498634801083")]
)
def test_in_a_known_region_the_powertools_layer_has_its_account(region: str, account: str) -> None:
    templates = synthesize(in_region(region))
    (layer,) = function(templates, API)["Layers"]
    assert resolved(layer).removeprefix("arn:deployed:lambda:").startswith(f"{region}:{account}:layer:")


@pytest.mark.parametrize("region", ["cn-northwest-1", "us-gov-west-1"])
def test_regions_without_the_powertools_layer_are_refused(region: str) -> None:
    with pytest.raises(
        InvalidConfigurationError,
        match=f"environment.region is {region}, where .* powertools_layer_version names",
    ):
        synthesize(in_region(region))


def in_region(region: str) -> dict[str, Any]:
    return {"models": [model()], "environment": {"account": "123456789012", "region": region}}


@pytest.mark.parametrize("handler", [each for each in HANDLERS if each != AUTHORIZER])
def test_functions_are_traced_as_configured(small: Templates, large: Templates, handler: str) -> None:
    for templates, traced in ((small, True), (large, False)):
        mode = function(templates, handler).get("TracingConfig", {}).get("Mode")
        assert (mode == "Active") is traced


@pytest.mark.parametrize("handler", HANDLERS)
def test_each_function_writes_only_to_its_own_log_group(small: Templates, handler: str) -> None:
    settings = function(small, handler)
    group = settings["LoggingConfig"]["LogGroup"]["Ref"]
    role = settings["Role"]["Fn::GetAtt"][0]
    policies = small.api.find_resources("AWS::IAM::Policy", {"Properties": {"Roles": [{"Ref": role}]}})
    allowed: list[Any] = [
        statement["Resource"]
        for policy in policies.values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "logs:PutLogEvents" in actions(statement)
    ]
    assert allowed == [{"Fn::GetAtt": [group, "Arn"]}]


def test_more_models_than_the_environment_can_hold_are_rejected_at_synthesis() -> None:
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
        InvalidConfigurationError,
        match=r"bytes of a Lambda function's environment, which is limited to 4,096",
    ):
        synthesize({"models": models})
