"""CloudWatch alarms with a severity, a runbook entry and the SNS topics that they notify."""

from enum import Enum

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.config import AlarmsConfig
from infra.encryption import key_for_service

RUNBOOK = "docs/operations.md"
MINUTE = cdk.Duration.minutes(1)


class Severity(Enum):
    """The urgency of an alarm."""

    CRITICAL = "critical"
    """Users get no images: act immediately."""

    WARNING = "warning"
    """Users may be affected: act the same day."""


class AlarmTopics(Construct):
    """The SNS topics that the alarms of a stage notify."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: AlarmsConfig, key: kms.Key | None
    ) -> None:
        super().__init__(scope, construct_id)
        self._topics = [
            sns.Topic.from_topic_arn(self, f"Topic{index}", arn)
            for index, arn in enumerate(config.topic_arns)
        ]
        if config.emails:
            email_topic = sns.Topic(
                self,
                "Alarms",
                enforce_ssl=True,
                # AWS documents the key policy for alarms without conditions.
                master_key=key_for_service(self, key, "cloudwatch.amazonaws.com"),
            )
            email_topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
            for email in config.emails:
                email_topic.add_subscription(subscriptions.EmailSubscription(email))
            self._topics.append(email_topic)

    def add_alarm(
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
        """Adds an alarm that fires while the metric is above the threshold. Missing data does not fire it.

        Args:
            scope: the construct that owns the monitored resource.
            entry: the heading of the alarm's entry in the runbook, in lower case with hyphens.
            metric: a metric with a period of one minute.
            threshold: the highest value that does not fire the alarm.
            severity: the urgency, part of the alarm's description.
            summary: one sentence that describes the problem, part of the alarm's description.
            minutes: the number of consecutive minutes above the threshold.
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
