"""Settings of the alarms."""

from typing import Annotated

from pydantic import Field, field_validator

from infra.config.base import Config

TopicArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+$")]


class AlarmsConfig(Config):
    """The recipients and thresholds of the alarms. docs/operations.md has an entry for each alarm."""

    emails: tuple[Annotated[str, Field(pattern=r"^[^\s@]+@[^\s@]+$")], ...] = ()
    """Addresses that receive alarms by e-mail; each must confirm its SNS subscription once."""

    topic_arns: tuple[TopicArn, ...] = ()
    """Existing SNS topics that receive alarms, for example those of an incident management tool."""

    backlog_age_s: int = Field(default=1800, ge=60)
    """The age in seconds of the oldest waiting request above which the alarm backlog-age fires."""

    wake_up_s: int = Field(default=1200, ge=300, le=86_400, multiple_of=60)
    """Seconds (whole minutes) that requests may wait for an instance before the alarm wake-up-slow fires."""

    gpu_memory_percent: float = Field(default=95, gt=0, le=100)
    """The GPU memory utilization in percent above which the alarm gpu-memory fires."""

    @field_validator("emails", "topic_arns")
    @classmethod
    def _check_unique(cls, recipients: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(recipients)) < len(recipients):
            raise ValueError("a recipient is named twice")
        return recipients
