from typing import Any

import pytest

from infra.config import DeploymentConfig, InvalidConfigurationError
from infra.config.batch_sizes import default_batch_size
from tests.infra.config.stages import MODEL

EVERY_FAMILY = [
    f"ml.{family}.48xlarge" for family in ("g4dn", "g5", "g6", "g6e", "p4d", "p4de", "p5", "p5e", "p5en")
]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"instance_types": ["ml.g5.xlarge", "ml.g5.xlarge"]},
            "models.0: instance_types contains a type twice",
        ),
        (
            {"scaling": {"min_instances": 2}},
            "models.0.scaling: min_instances and the min_instances of scheduled_minimums must not exceed",
        ),
        (
            {"scaling": {"scheduled_minimums": [{"cron": "cron(0 8 ? * MON-FRI *)", "min_instances": 2}]}},
            "models.0.scaling: min_instances and the min_instances of scheduled_minimums must not exceed",
        ),
        (
            {"defaults": {"width": 2048}},
            "models.0: defaults.width is 2048, but limits allow 64 to 1024 (min_size and max_size)",
        ),
        (
            {"defaults": {"steps": 60, "count": 3}, "limits": {"max_steps": 50, "max_count": 2}},
            "models.0: defaults.steps is 60, but limits allow 1 to 50 (max_steps); defaults.count is 3, but",
        ),
        (
            {"limits": {"min_size": 1024, "max_size": 512}},
            "models.0.limits: min_size 1024, max_size 512 and max_output_size 4096 must not decrease",
        ),
        (
            {"max_batch_size": 16, "max_concurrent_invocations": 8},
            "models.0: max_concurrent_invocations (8) is less than max_batch_size (16), so that",
        ),
        (
            {"quantization": "fp8", "instance_types": ["ml.g6e.xlarge", "ml.g5.xlarge"]},
            "models.0: quantization is fp8, which the GPU of ml.g5.xlarge does not have; leave it out",
        ),
        (
            {"quantization": "fp8", "instance_types": ["ml.g6.xlarge"], "merge_loras": True},
            "models.0: merge_loras cannot change weights that are quantized; leave one of them out",
        ),
        ({"limits": {"max_size": 8192}}, "models.0.limits: "),
        ({"safety": {"checker": "strict"}}, "models.0.safety: checker has no effect while mode is off"),
    ],
)
def test_contradicting_settings_are_rejected(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        DeploymentConfig.for_stage("dev", {"dev": {"models": [{**MODEL, **settings}]}})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"instance_types": ["ml.g4dn.xlarge"]}, (4, 8)),
        ({"instance_types": ["ml.g5.xlarge"]}, (8, 16)),
        ({"instance_types": ["ml.p5.48xlarge"]}, (8, 16)),
        ({"instance_types": ["ml.g6e.xlarge", "ml.g4dn.xlarge"]}, (4, 8)),
        ({"instance_types": ["ml.g4dn.xlarge"], "max_batch_size": 16}, (16, 32)),
        ({"instance_types": ["ml.g5.xlarge"], "max_concurrent_invocations": 40}, (8, 40)),
    ],
)
def test_batch_size_and_concurrent_jobs_fit_the_gpu_and_each_other(
    settings: dict[str, Any], expected: tuple[int, int]
) -> None:
    (model,) = DeploymentConfig.for_stage("dev", {"dev": {"models": [{**MODEL, **settings}]}}).models
    assert (model.max_batch_size, model.max_concurrent_invocations) == expected


@pytest.mark.parametrize("instance_type", EVERY_FAMILY)
def test_every_family_of_instance_types_has_a_default(instance_type: str) -> None:
    expected = 4 if ".g4dn." in instance_type else 8
    assert default_batch_size([instance_type]) == expected
