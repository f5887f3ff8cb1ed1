"""SageMaker's completion messages: two SNS topics, a queue and its dead-letter queue."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alarms import MINUTE, AlarmTopics, Severity
from infra.encryption import OF_THIS_ACCOUNT, key_for_service

CONSUMER_TIMEOUT = cdk.Duration.seconds(30)
"""The timeout of the function that consumes the queue, per batch."""

_MAX_RECEIVES = 5
_MAX_AGE_S = 300


class CompletionQueue(Construct):
    """A success topic and an error topic that feed one queue.

    Messages that could not be processed in five attempts move to `dead_letters`.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.Key | None, alarm_topics: AlarmTopics
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = key_for_service(self, key, "sns.amazonaws.com", conditions=OF_THIS_ACCOUNT)
        self.success_topic = sns.Topic(self, "Success", enforce_ssl=True, master_key=self._key)
        self.error_topic = sns.Topic(self, "Error", enforce_ssl=True, master_key=self._key)
        self.dead_letters = self._queue("DeadLetters", retention_period=cdk.Duration.days(14))
        self.queue = self._queue(
            "Completions",
            visibility_timeout=cdk.Duration.seconds(6 * CONSUMER_TIMEOUT.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_MAX_RECEIVES),
        )
        for topic in (self.success_topic, self.error_topic):
            topic.add_subscription(subscriptions.SqsSubscription(self.queue, raw_message_delivery=True))
        self._add_alarms(alarm_topics)

    def _queue(
        self,
        construct_id: str,
        *,
        visibility_timeout: cdk.Duration | None = None,
        retention_period: cdk.Duration | None = None,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            construct_id,
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.KMS if self._key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=self._key,
            visibility_timeout=visibility_timeout,
            retention_period=retention_period,
            dead_letter_queue=dead_letter_queue,
        )

    def grant_publish(self, grantee: iam.IGrantable) -> None:
        """Allows an endpoint's role to publish the completion messages of its invocations."""
        arns = [self.success_topic.topic_arn, self.error_topic.topic_arn]
        iam.Grant.add_to_principal(grantee=grantee, actions=["sns:Publish"], resource_arns=arns)
        if self._key:
            self._key.grant(grantee, "kms:Decrypt", "kms:GenerateDataKey")

    def _add_alarms(self, alarm_topics: AlarmTopics) -> None:
        alarm_topics.add_alarm(
            self,
            "jobs-failing",
            metric=self.error_topic.metric_number_of_messages_published(period=MINUTE, statistic="Sum"),
            threshold=0,
            minutes=5,
            severity=Severity.WARNING,
            summary="Jobs have failed in each of the last five minutes.",
        )
        alarm_topics.add_alarm(
            self,
            "dead-letters",
            metric=self.dead_letters.metric_approximate_number_of_messages_visible(
                period=MINUTE, statistic="Maximum"
            ),
            threshold=0,
            severity=Severity.CRITICAL,
            summary="Completion messages are in the dead-letter queue: their jobs never finish.",
        )
        alarm_topics.add_alarm(
            self,
            "completion-messages-late",
            metric=self.queue.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum"),
            threshold=_MAX_AGE_S,
            severity=Severity.CRITICAL,
            summary=(
                "Completion messages have waited for more than five minutes: ended jobs look unfinished."
            ),
        )
