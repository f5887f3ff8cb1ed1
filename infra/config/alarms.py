"""When somebody is called."""

from pydantic import Field

from infra.config.base import Config


class AlarmsConfig(Config):
    """Where alarms go, and from when on something is wrong. Each has its entry in docs/operations.md."""

    emails: tuple[str, ...] = ()
    """Addresses that are told of alarms; each must confirm its subscription once."""

    topic_arns: tuple[str, ...] = ()
    """SNS topics that are told of alarms, such as a pager's."""

    backlog_age_s: int = Field(default=1800, ge=60)
    """Seconds that a request may wait for its turn."""

    wake_up_s: int = Field(default=1200, ge=300, multiple_of=60)
    """Seconds, in whole minutes, in which an endpoint without instances must have one when work comes."""

    gpu_memory_percent: float = Field(default=95, gt=0, le=100)
    """How full the GPU's memory may be."""
