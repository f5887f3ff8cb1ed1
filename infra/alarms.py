"""Alarms: who is told, how urgent it is, and where the runbook says what to do."""

from enum import Enum

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.config import AlarmsConfig

RUNBOOK = "docs/operations.md"
MINUTE = cdk.Duration.minutes(1)


class Severity(Enum):
    """How urgent an alarm is."""

    CRITICAL = "critical"
    """Users get no images: act now."""

    WARNING = "warning"
    """Users may notice: act today."""


class AlarmTopics(Construct):
    """The topics that alarms go to."""

    def __init__(self, scope: Construct, construct_id: str, *, config: AlarmsConfig) -> None:
        super().__init__(scope, construct_id)
        self._topics = [
            sns.Topic.from_topic_arn(self, f"Topic{index}", arn)
            for index, arn in enumerate(config.topic_arns)
        ]
        if config.emails:
            own = sns.Topic(self, "Alarms", enforce_ssl=True)
            own.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
            for email in config.emails:
                own.add_subscription(subscriptions.EmailSubscription(email))
            self._topics.append(own)

    def watch(
        self,
        scope: Construct,
        entry: str,
        *,
        metric: cloudwatch.IMetric,
        threshold: float,
        severity: Severity,
        summary: str,
        minutes: int = 1,
    ) -> cloudwatch.Alarm:
        """Tells of a metric that is above its threshold; no data is no alarm.

        Args:
            scope: the construct that owns what is watched.
            entry: the heading of the alarm's entry in the runbook, in lower case with hyphens.
            metric: what is watched, a value a minute.
            threshold: the most that is in order.
            severity: how urgent it is.
            summary: a sentence that says what is wrong.
            minutes: for how long it must have been so.
        """
        alarm = cloudwatch.Alarm(
            scope,
            "Alarm" + "".join(word.capitalize() for word in entry.split("-")),
            alarm_description=f"{severity.value}: {summary} See {RUNBOOK}#{entry}",
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=minutes,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        targets = [actions.SnsAction(topic) for topic in self._topics]
        alarm.add_alarm_action(*targets)
        alarm.add_ok_action(*targets)
        return alarm
