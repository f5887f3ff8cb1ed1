"""The way back from SageMaker: its notices, and the queue they wait in."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alarms import MINUTE, AlarmTopics, Severity

CONSUMER_TIMEOUT = cdk.Duration.seconds(30)
"""What a consumer of the queue may take for a batch."""

_RECEIVES = 5
_LATE_S = 300


class CompletionQueue(Construct):
    """The success and the error topic, feeding one queue; what cannot be handled ends in `dead_letters`."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.Key | None, pager: AlarmTopics
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = self._shared(key) if key else None
        self.success_topic = sns.Topic(self, "Success", enforce_ssl=True, master_key=self._key)
        self.error_topic = sns.Topic(self, "Error", enforce_ssl=True, master_key=self._key)
        self.dead_letters = self._queue("DeadLetters", retention_period=cdk.Duration.days(14))
        self.queue = self._queue(
            "Completions",
            visibility_timeout=cdk.Duration.seconds(6 * CONSUMER_TIMEOUT.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_RECEIVES),
        )
        for topic in (self.success_topic, self.error_topic):
            topic.add_subscription(subscriptions.SqsSubscription(self.queue, raw_message_delivery=True))
        self._watch(pager)

    def _shared(self, key: kms.Key) -> kms.IKey:
        """The key, with SNS allowed to use it for this account's topics.

        The CDK would allow it for each topic by name, and then key and topics would wait for each other.
        """
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            )
        )
        return kms.Key.from_key_arn(self, "Key", key.key_arn)

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
        """Lets an endpoint tell how its invocations ended."""
        arns = [self.success_topic.topic_arn, self.error_topic.topic_arn]
        iam.Grant.add_to_principal(grantee=grantee, actions=["sns:Publish"], resource_arns=arns)
        if self._key:
            self._key.grant(grantee, "kms:Decrypt", "kms:GenerateDataKey")

    def _watch(self, pager: AlarmTopics) -> None:
        pager.watch(
            self,
            "jobs-failing",
            metric=self.error_topic.metric_number_of_messages_published(period=MINUTE, statistic="Sum"),
            threshold=0,
            minutes=5,
            severity=Severity.WARNING,
            summary="Jobs have been failing for five minutes.",
        )
        pager.watch(
            self,
            "dead-letters",
            metric=self.dead_letters.metric_approximate_number_of_messages_visible(
                period=MINUTE, statistic="Maximum"
            ),
            threshold=0,
            severity=Severity.CRITICAL,
            summary="CompletionQueue could not be handled: their jobs have no end.",
        )
        pager.watch(
            self,
            "notices-late",
            metric=self.queue.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum"),
            threshold=_LATE_S,
            severity=Severity.CRITICAL,
            summary="CompletionQueue wait for more than five minutes: finished jobs look unfinished.",
        )
