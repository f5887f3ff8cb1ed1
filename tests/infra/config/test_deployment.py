from typing import Any

import aws_cdk as cdk
import pytest

from infra.config import DeploymentConfig, InvalidConfigurationError, docs
from tests.conftest import ROOT

MODEL = {"name": "demo", "instance_types": ["ml.g4dn.xlarge"]}
HUB = {"type": "huggingface", "id": "a/b", "revision": "0" * 40}


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
    ("stage", "sentence"),
    [
        ({"models": []}, "stages.dev.models: Tuple should have at least 1 item"),
        (
            {"models": [MODEL], "modles": 1},
            "stages.dev.modles is not a setting; allowed here: models, image, api,",
        ),
        ({"models": [{"name": "demo"}]}, "stages.dev.models.0.instance_types is missing"),
        (
            {"models": [{**MODEL, "instance_types": ["ml.m5.large"]}]},
            "stages.dev.models.0.instance_types.0: String should match pattern",
        ),
        (
            {"models": [{**MODEL, "instance_types": ["ml.g5.xlarge", "ml.g5.xlarge"]}]},
            "stages.dev.models.0: instance_types names a type twice",
        ),
        ({"models": [{**MODEL, "name": "My Model"}]}, "stages.dev.models.0.name: "),
        (
            {"models": [{**MODEL, "scaling": {"min_instances": 2}}]},
            "stages.dev.models.0.scaling: min_instances, scheduled ones too, must not exceed max_instances",
        ),
        (
            {"models": [{**MODEL, "scaling": {"idle_tail_s": 90}}]},
            "stages.dev.models.0.scaling.idle_tail_s: Input should be a multiple of 60; it is 90. Seconds,",
        ),
        (
            {"models": [{**MODEL, "source": {"type": "s3", "url": "s3://a/b/"}}]},
            "stages.dev.models.0.source.url is not a setting; allowed here: type, uri",
        ),
        (
            {"models": [{**MODEL, "source": {"type": "ftp"}}]},
            "stages.dev.models.0.source: Input tag 'ftp'",
        ),
        (
            {"models": [MODEL], "image": {"source": "registry", "cuda": 13}},
            "stages.dev.image.repository_arn is missing",
        ),
        (
            {"models": [MODEL], "api": {"auth": {"type": "cognito", "user_pool_arn": "pool"}}},
            "stages.dev.api.auth.user_pool_arn: String should match pattern",
        ),
        (
            {"models": [MODEL], "log_retention_days": 8},
            "stages.dev.log_retention_days: Input should be 1, 7,",
        ),
        ({"models": [{**MODEL, "defaults": {"width": 2048}}]}, "the defaults for width are outside"),
        (
            {"models": [{**MODEL, "startup_timeout_s": 4000}]},
            "models.0.startup_timeout_s: Input should be less than or equal to 3600; it is 4000. Seconds in",
        ),
        ({"models": [MODEL, MODEL]}, "stages.dev: models are named twice: demo"),
        (
            {"models": [{**MODEL, "companions": [{"name": "a"}, {"name": "demo"}]}]},
            "stages.dev: models are named twice: demo",
        ),
        (
            {"models": [MODEL, {**MODEL, "name": "adapters"}]},
            "stages.dev: no model may be named adapters: LoRAs and the like lie under adapters/ in",
        ),
        ({"models": [{**MODEL, "companions": [{"name": "adapters"}]}]}, "no model may be named adapters"),
        (
            {"models": [{**MODEL, "companions": [{"name": "a", "scaling": {}}]}]},
            "models.0.companions.0.scaling is not a setting; allowed here: name, defaults, limits, source",
        ),
        (
            {"models": [{**MODEL, "model_memory_gib": 0}]},
            "stages.dev.models.0.model_memory_gib: Input should be greater than 0; it is 0. GiB of",
        ),
        (
            {"models": [{**MODEL, "safety": {"mode": "hide"}}]},
            "stages.dev.models.0.safety.mode: Input should be 'off', 'flag', 'blur' or 'block'",
        ),
        (
            {"models": [{**MODEL, "safety": {"checker": "strict"}}]},
            "stages.dev.models.0.safety: a checker has nothing to do while mode is off",
        ),
        (
            {
                "models": [{**MODEL, "companions": [{"name": "far", "source": HUB}]}],
                "network": {"type": "isolated"},
            },
            "stages.dev: far would come from the Hugging Face hub",
        ),
        (
            {
                "models": [{**MODEL, "source": HUB}],
                "network": {"type": "isolated"},
            },
            "stages.dev: demo would come from the Hugging Face hub, which an isolated network does not",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(stage: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        read({"dev": stage})
    assert sentence in str(caught.value)


def test_every_wrong_setting_is_told_at_once() -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        read({"dev": {"models": [{**MODEL, "startup_timeout_s": 1}], "b": 2}})
    assert "startup_timeout_s: " in str(caught.value)
    assert "stages.dev.b is not a setting" in str(caught.value)


def test_the_stages_name_is_its_key() -> None:
    with pytest.raises(InvalidConfigurationError, match=r"dev\.stage is not a setting; it is the key"):
        read({"dev": {"stage": "prod", "models": [MODEL]}})


def test_the_committed_reference_is_made_from_the_schema() -> None:
    committed = (ROOT / "docs" / "configuration.md").read_text()
    assert committed == docs.markdown(), "run `make docs`"
