from typing import Any

import aws_cdk as cdk
import pytest

from infra.config import DeploymentConfig, InvalidConfigurationError

MODEL = {"name": "demo", "instance_type": "ml.g4dn.xlarge"}


def read(stages: Any, stage: str | None = "dev") -> DeploymentConfig:
    return DeploymentConfig.from_context(cdk.App(context={"stages": stages, "stage": stage}).node)


def test_every_committed_stage_is_valid(committed: dict[str, Any]) -> None:
    stages = committed["context"]["stages"]
    assert {read(stages, name).stage for name in stages} == set(stages) == {"dev", "prod"}


def test_the_first_model_is_the_default() -> None:
    config = read({"dev": {"models": [MODEL, {**MODEL, "name": "other"}]}})
    assert config.default_model == "demo"


def test_an_unknown_stage_is_told_the_known_ones() -> None:
    with pytest.raises(
        InvalidConfigurationError, match="no stage 'test'; choose with -c stage=NAME from dev, prod"
    ):
        read({"dev": {}, "prod": {}}, "test")


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ({"models": []}, r"stages\.dev\.models: .*at least 1"),
        ({"models": [MODEL], "modles": 1}, r"stages\.dev\.modles: Extra inputs"),
        ({"models": [{**MODEL, "instance_type": "g4dn"}]}, r"stages\.dev\.models\.0\.instance_type: "),
        ({"models": [{**MODEL, "name": "My Model"}]}, r"stages\.dev\.models\.0\.name: "),
        (
            {"models": [{**MODEL, "scaling": {"min_instances": 2}}]},
            "min_instances must not exceed max_instances",
        ),
        ({"models": [{**MODEL, "defaults": {"width": 2048}}]}, "defaults for width are outside"),
        ({"models": [{**MODEL, "startup_timeout_s": 4000}]}, r"startup_timeout_s: .*3600"),
        ({"models": [MODEL, MODEL]}, "models are named twice: demo"),
    ],
)
def test_a_wrong_value_is_named_by_its_place(stage: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidConfigurationError, match=words):
        read({"dev": stage})
