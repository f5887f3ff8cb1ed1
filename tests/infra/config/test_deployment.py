from typing import Any

import pytest

from infra.config import DeploymentConfig, InvalidConfigurationError
from tests.infra.config.stages import HUB, MODEL


def read(stages: Any, stage: str | None = "dev") -> DeploymentConfig:
    return DeploymentConfig.from_context({"stages": stages, "stage": stage})


def test_every_committed_stage_is_valid(committed: dict[str, Any]) -> None:
    stages = committed["context"]["stages"]
    assert {read(stages, name).stage for name in stages} == set(stages) == {"dev", "prod"}


def test_the_first_model_is_the_default() -> None:
    config = read({"dev": {"models": [MODEL, {**MODEL, "name": "other"}]}})
    assert config.default_model == "demo"


@pytest.mark.parametrize("stage", ["test", "", None])
def test_an_unknown_stage_is_rejected_with_the_existing_stages(stage: str | None) -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        read({"dev": {}, "prod": {}}, stage)
    assert str(caught.value) == (
        f"cdk.json has no stage {stage!r}; its stages are: dev, prod. Choose one with STAGE=NAME (make) or "
        "-c stage=NAME (cdk)"
    )


def test_without_any_stage_the_message_says_so() -> None:
    with pytest.raises(InvalidConfigurationError, match="its stages are: none"):
        read(None)


@pytest.mark.parametrize("settings", [1, ["models"]])
def test_a_stage_that_is_not_an_object_is_rejected(settings: Any) -> None:
    with pytest.raises(InvalidConfigurationError, match=r"stages\.dev must be an object"):
        read({"dev": settings})


def test_the_name_of_the_stage_is_not_a_setting() -> None:
    with pytest.raises(InvalidConfigurationError, match=r"dev\.stage is not a setting; the key is the stage"):
        read({"dev": {"stage": "prod", "models": [MODEL]}})


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ({"models": [MODEL, MODEL]}, "stages.dev: model names must be unique; repeated: demo"),
        (
            {"models": [{**MODEL, "companions": [{"name": "a"}, {"name": "demo"}]}]},
            "stages.dev: model names must be unique; repeated: demo",
        ),
        (
            {"models": [MODEL], "api": {"model_aliases": {"demo": "demo"}}},
            "stages.dev: api.model_aliases has demo, which is the name of a model; remove it",
        ),
        (
            {"models": [MODEL], "api": {"model_aliases": {"dall-e-3": "sdxl"}}},
            "stages.dev: api.model_aliases.dall-e-3 is sdxl, but the models are demo",
        ),
        (
            {"models": [MODEL, {**MODEL, "name": "adapters"}]},
            "stages.dev: a model must not be named adapters: the prefix adapters/ of the models bucket",
        ),
        (
            {"models": [{**MODEL, "companions": [{"name": "adapters"}]}]},
            "stages.dev: a model must not be named adapters",
        ),
        (
            {
                "models": [{**MODEL, "companions": [{"name": "far", "source": HUB}]}],
                "network": {"type": "isolated"},
            },
            "stages.dev: the models far come from the Hugging Face Hub",
        ),
        (
            {"models": [MODEL], "network": {"type": "isolated", "availability_zones": 3}},
            "network.availability_zones is 3, but without environment the network would get 2; set",
        ),
        (
            {
                "models": [MODEL],
                "environment": {"account": "123456789012", "region": "eu-west-1"},
                "alarms": {"topic_arns": ["arn:aws:sns:us-east-1:123456789012:incidents"]},
            },
            "in the region us-east-1, but environment.region is eu-west-1; AWS requires the same region",
        ),
        (
            {
                "models": [MODEL],
                "environment": {"account": "123456789012", "region": "eu-west-1"},
                "image": {
                    "source": "registry",
                    "repository_arn": "arn:aws:ecr:us-east-1:123456789012:repository/inference",
                    "digest": f"sha256:{'0' * 64}",
                    "cuda": 12,
                },
            },
            "stages.dev: image.repository_arn has arn:aws:ecr:us-east-1:123456789012:repository/inference in",
        ),
        (
            {"models": [MODEL], "tags": {"AWS:team": "design"}},
            "stages.dev.tags.AWS:team.[key]: the tag 'AWS:team' begins with aws:, which AWS reserves",
        ),
        (
            {"models": [{**MODEL, "source": HUB}], "network": {"type": "isolated"}},
            "stages.dev: the models demo come from the Hugging Face Hub, which is not reachable",
        ),
    ],
)
def test_contradicting_settings_are_rejected(stage: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        read({"dev": stage})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "prefix", ["s3://bucket/", "s3://bucket/a", "https://bucket/a/", "s3://bucket/*/", "s3://b/${x}/"]
)
def test_an_output_prefix_that_is_no_prefix_or_has_wildcards_is_rejected(prefix: str) -> None:
    with pytest.raises(InvalidConfigurationError, match=r"dev\.output_prefixes\[?\.?0"):
        read({"dev": {"models": [MODEL], "output_prefixes": [prefix]}})


@pytest.mark.parametrize("cidr", ["999.64.0.0/20", "10.64.0.1/24"])
def test_an_address_range_that_is_none_is_rejected(cidr: str) -> None:
    with pytest.raises(InvalidConfigurationError, match=r"dev\.network\.cidr: .*; use the first address of"):
        read({"dev": {"models": [MODEL], "network": {"type": "isolated", "cidr": cidr}}})


@pytest.mark.parametrize("source", [{}, {"uri": "s3://team-models/sd/"}])
def test_a_source_without_a_type_is_in_s3(source: dict[str, str]) -> None:
    (model,) = read({"dev": {"models": [{**MODEL, "source": source}]}}).models
    assert (model.source.type, getattr(model.source, "uri", "")) == ("s3", source.get("uri"))
