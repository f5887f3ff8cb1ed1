from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.config import DeploymentConfig, InvalidConfigurationError, ModelConfig
from tests.infra.config.stages import HUB, MODEL


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ({"models": []}, "stages.dev.models: must have at least 1 item; got []. The models,"),
        ({"models": {"demo": {}}}, "stages.dev.models: must be a list; got {'demo': {}}"),
        ({"models": ["demo"]}, "stages.dev.models.0: must be an object; got 'demo'"),
        ({"models": [MODEL], "image": "docker"}, "stages.dev.image: must be an object; got 'docker'"),
        ({"models": [MODEL], "image": {}}, "stages.dev.image.source is missing"),
        (
            {"models": [MODEL], "modles": 1},
            "stages.dev.modles is not a setting; the settings here are: models, image, api,",
        ),
        ({"models": [{"name": "demo"}]}, "stages.dev.models.0.instance_types is missing"),
        (
            {"models": [{**MODEL, "instance_types": ["ml.m5.large"]}]},
            "stages.dev.models.0.instance_types.0: String should match pattern",
        ),
        ({"models": [{**MODEL, "name": "My Model"}]}, "stages.dev.models.0.name: "),
        (
            {"models": [{**MODEL, "scaling": {"idle_tail_s": 200}}]},
            "stages.dev.models.0.scaling.idle_tail_s: Input should be a multiple of 60; got 200. Seconds (",
        ),
        (
            {"models": [{**MODEL, "source": {"type": "s3", "url": "s3://a/b/"}}]},
            "stages.dev.models.0.source.url is not a setting; the settings here are: type, uri",
        ),
        (
            {"models": [{**MODEL, "source": {"type": "ftp"}}]},
            "stages.dev.models.0.source.type: 'ftp' is not one of 's3', 'huggingface'",
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
        (
            {"models": [{**MODEL, "startup_timeout_s": 4000}]},
            "models.0.startup_timeout_s: Input should be less than or equal to 3600; got 4000. The",
        ),
        (
            {"models": [{**MODEL, "companions": [{"name": "a", "scaling": {}}]}]},
            "models.0.companions.0.scaling is not a setting; the settings here are: name, defaults,",
        ),
        (
            {"models": [{**MODEL, "model_memory_gib": 0}]},
            "stages.dev.models.0.model_memory_gib: Input should be greater than 0; got 0. GiB of",
        ),
        (
            {"models": [{**MODEL, "safety": {"mode": "hide"}}]},
            "stages.dev.models.0.safety.mode: Input should be 'off', 'flag', 'blur' or 'block'",
        ),
        (
            {"models": [{**MODEL, "source": {**HUB, "revision": "main"}}]},
            "stages.dev.models.0.source.revision: ",
        ),
    ],
)
def test_an_error_names_the_setting_and_the_allowed_values(stage: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        DeploymentConfig.for_stage("dev", {"dev": stage})
    assert message in str(caught.value)


def test_all_errors_are_reported_together() -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        DeploymentConfig.for_stage("dev", {"dev": {"models": [{**MODEL, "startup_timeout_s": 1}], "b": 2}})
    assert "startup_timeout_s: " in str(caught.value)
    assert "stages.dev.b is not a setting" in str(caught.value)


WRONG: list[Any] = [None, -1, 0.5, "?", [], [None], {}, {"?": 1}, ["?"], True]


@given(
    name=st.sampled_from(sorted(set(ModelConfig.model_fields) - {"name"})),
    value=st.sampled_from(WRONG),
)
def test_a_wrong_value_of_a_model_is_reported_once(name: str, value: Any) -> None:
    """Every line is about the setting itself, or a combination that the model's own settings exclude."""
    lines = errors_of({"models": [{**MODEL, name: value}]})
    assert all(line.startswith("stages.dev.models.0") for line in lines), lines
    assert len(lines) == len({line.partition(":")[0] for line in lines}), lines


@given(
    section=st.sampled_from(["api", "alarms", "network", "image"]),
    value=st.sampled_from([*WRONG, {"type": "?"}]),
)
def test_a_wrong_value_of_a_section_is_reported_once(section: str, value: Any) -> None:
    lines = errors_of({"models": [MODEL], section: value})
    assert all(line.startswith(f"stages.dev.{section}") for line in lines), lines


def test_a_wrong_item_of_a_list_is_no_lack_of_items() -> None:
    lines = errors_of({"models": [{**MODEL, "instance_types": [5], "max_batch_size": 3}]})
    assert [line.partition(":")[0] for line in lines] == [
        "stages.dev.models.0.instance_types.0",
        "stages.dev.models.0.max_batch_size",
    ]


def test_a_description_is_on_the_line_of_its_error() -> None:
    (line,) = errors_of({"models": [{**MODEL, "safety": {"mode": "hide"}}]})
    assert line.endswith("block: they are not returned.")


def errors_of(stage: dict[str, Any]) -> list[str]:
    """The lines of the error; empty for a valid stage."""
    try:
        DeploymentConfig.for_stage("dev", {"dev": stage})
    except InvalidConfigurationError as error:
        first, *lines = str(error).splitlines()
        assert first == "cdk.json:"
        return [line.removeprefix("  ") for line in lines]
    return []
