from typing import Any

import pytest

from infra.config import DeploymentConfig, InvalidConfigurationError
from tests.infra.config.stages import MODEL


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
        ({"limits": {"max_size": 8192}}, "models.0.limits: "),
        ({"safety": {"checker": "strict"}}, "models.0.safety: checker has no effect while mode is off"),
    ],
)
def test_contradicting_settings_are_rejected(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        DeploymentConfig.for_stage("dev", {"dev": {"models": [{**MODEL, **settings}]}})
    assert message in str(caught.value)
