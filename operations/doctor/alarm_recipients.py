"""Check of the recipients of alarms."""

from dataclasses import dataclass

from infra.config import AlarmsConfig
from operations.doctor.check import CheckResult, passed, warning


@dataclass(frozen=True)
class AlarmRecipients:
    """The stage has recipients of its alarms."""

    config: AlarmsConfig
    name: str = "alarms"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        recipients = (*self.config.emails, *self.config.topic_arns)
        if not recipients:
            return warning(
                "an alarm that fires notifies no one",
                'add "alarms": {"emails": ["ADDRESS"]} or {"topic_arns": ["ARN"]} to the stage in cdk.json',
            )
        return passed(f"sent to {', '.join(recipients)}")
