from typing import Any

import pytest

from infra.config import InvalidConfigurationError
from tests.infra.conftest import Templates, synthesize, text
from tests.infra.functions import HANDLERS, actions, function


@pytest.mark.parametrize("handler", HANDLERS)
def test_the_runtime_memory_and_powertools_layer(small: Templates, handler: str) -> None:
    settings = function(small, handler)
    (layer,) = settings["Layers"]
    assert "AWSLambdaPowertoolsPythonV3-python312-arm64:27" in text(layer)
    assert (settings["Runtime"], settings["Architectures"]) == ("python3.12", ["arm64"])
    assert settings["MemorySize"] == 512


@pytest.mark.parametrize("handler", HANDLERS)
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
