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
        ({"defaults": {"width": 2048}}, "models.0: "),
        ({"safety": {"checker": "strict"}}, "models.0.safety: checker has no effect while mode is off"),
    ],
)
def test_contradicting_settings_are_rejected(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        DeploymentConfig.for_stage("dev", {"dev": {"models": [{**MODEL, **settings}]}})
    assert message in str(caught.value)
