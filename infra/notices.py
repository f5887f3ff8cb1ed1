"""The way back from SageMaker: its notices, and the queue they wait in."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

CONSUMER_TIMEOUT = cdk.Duration.seconds(30)
"""What a consumer of the queue may take for a batch."""

_RECEIVES = 5


class Notices(Construct):
    """The success and the error topic, feeding one queue; what cannot be handled ends in `dead_letters`."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.success_topic = sns.Topic(self, "Success", enforce_ssl=True)
        self.error_topic = sns.Topic(self, "Error", enforce_ssl=True)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            retention_period=cdk.Duration.days(14),
        )
        self.queue = sqs.Queue(
            self,
            "Completions",
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            visibility_timeout=cdk.Duration.seconds(6 * CONSUMER_TIMEOUT.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_RECEIVES),
        )
        for topic in (self.success_topic, self.error_topic):
            topic.add_subscription(subscriptions.SqsSubscription(self.queue, raw_message_delivery=True))

    def grant_publish(self, grantee: iam.IGrantable) -> None:
        """Lets an endpoint tell how its invocations ended."""
        self.success_topic.grant_publish(grantee)
        self.error_topic.grant_publish(grantee)
