from typing import Any

import pytest

from infra.config import DeploymentConfig, InvalidConfigurationError
from tests.infra.config.stages import MODEL

TOPIC = "arn:aws:sns:eu-west-1:123456789012:incidents"


@pytest.mark.parametrize(
    ("alarms", "message"),
    [
        ({"emails": ["ada"]}, "alarms.emails.0: String should match pattern"),
        ({"emails": ["a@b.c", "a@b.c"]}, "alarms.emails: a recipient is named twice"),
        ({"topic_arns": ["incidents"]}, "alarms.topic_arns.0: String should match pattern"),
        ({"topic_arns": [TOPIC, TOPIC]}, "alarms.topic_arns: a recipient is named twice"),
        ({"wake_up_s": 90_000}, "alarms.wake_up_s: Input should be less than or equal to 86400"),
    ],
)
def test_recipients_and_times_that_aws_refuses_are_rejected(alarms: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        DeploymentConfig.for_stage("dev", {"dev": {"models": [MODEL], "alarms": alarms}})
    assert message in str(caught.value)


def test_recipients_of_every_partition_are_accepted() -> None:
    alarms = {"emails": ["ada@example.com"], "topic_arns": [TOPIC, TOPIC.replace("aws", "aws-cn")]}
    config = DeploymentConfig.for_stage("dev", {"dev": {"models": [MODEL], "alarms": alarms}})
    assert config.alarms.topic_arns[0] == TOPIC
