import pytest

from infra.config import AlarmsConfig
from operations.doctor.alarm_recipients import AlarmRecipients
from operations.doctor.check import Status

TOPIC = "arn:aws:sns:us-east-1:123456789012:incidents"


def test_alarms_without_recipients_are_a_warning() -> None:
    result = AlarmRecipients(AlarmsConfig()).run()
    assert result.status is Status.WARN
    assert '"alarms": {"emails": ["ADDRESS"]}' in result.remedy


@pytest.mark.parametrize(
    "config",
    [AlarmsConfig(emails=("ada@example.com",)), AlarmsConfig(topic_arns=(TOPIC,))],
    ids=["mail", "sns"],
)
def test_the_recipients_are_listed(config: AlarmsConfig) -> None:
    result = AlarmRecipients(config).run()
    assert result.status is Status.PASS
    assert (*config.emails, *config.topic_arns)[0] in result.message
