"""SageMaker's completion messages: two SNS topics, a queue and its dead-letter queue."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from contract.keys import STARTS_PREFIX
from infra.alarms import MINUTE, AlarmTopics, Severity
from infra.encryption import OF_THIS_ACCOUNT, allow_service, key_for_service
from infra.queues import add_dead_letters, add_queue

CONSUMER_TIMEOUT = cdk.Duration.seconds(30)
"""The timeout of the function that consumes the queue, per batch."""

_MAX_RECEIVES = 5
_MAX_AGE_S = 300


class CompletionQueue(Construct):
    """A success topic, an error topic and the start markers in the data bucket, which feed one queue.

    Messages that could not be processed in five attempts move to `dead_letters`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        data_bucket: s3.Bucket,
        key: kms.Key | None,
        alarm_topics: AlarmTopics,
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = key_for_service(self, key, "sns.amazonaws.com", conditions=OF_THIS_ACCOUNT)
        self.success_topic = sns.Topic(self, "Success", enforce_ssl=True, master_key=self._key)
        self.error_topic = sns.Topic(self, "Error", enforce_ssl=True, master_key=self._key)
        self.dead_letters = add_dead_letters(self, key=self._key)
        self.queue = add_queue(
            self,
            "Completions",
            key=self._key,
            dead_letters=self.dead_letters,
            max_receives=_MAX_RECEIVES,
            consumer_timeout=CONSUMER_TIMEOUT,
        )
        for topic in (self.success_topic, self.error_topic):
            topic.add_subscription(subscriptions.SqsSubscription(self.queue, raw_message_delivery=True))
        if key is not None:
            allow_service(key, "events.amazonaws.com", conditions=OF_THIS_ACCOUNT)
        self._receive_starts(data_bucket)
        self._add_alarms(alarm_topics)

    def _receive_starts(self, data_bucket: s3.Bucket) -> None:
        """Queues EventBridge's event for each new start marker."""
        events.Rule(
            self,
            "Starts",
            description="Reports the start of invocations to the completion queue.",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [data_bucket.bucket_name]},
                    "object": {"key": [{"prefix": STARTS_PREFIX}]},
                },
            ),
            targets=[targets.SqsQueue(self.queue)],
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
            "dead-letters",
            metric=self.dead_letters.metric_approximate_number_of_messages_visible(
                period=MINUTE, statistic="Maximum"
            ),
            threshold=0,
            severity=Severity.CRITICAL,
            summary="Completion messages could not be processed: their jobs end late.",
        )
        alarm_topics.add_alarm(
            self,
            "completion-messages-late",
            metric=self.queue.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum"),
            threshold=_MAX_AGE_S,
            severity=Severity.CRITICAL,
            summary=("Completion messages have waited for more than five minutes: jobs end late."),
        )
