"""The queue of webhook calls and its dead-letter queue."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from contract.webhooks import CALL_LIMIT_S, MAX_CALLS
from infra.alarms import MINUTE, AlarmTopics, Severity
from infra.queues import add_dead_letters, add_queue

CONSUMER_TIMEOUT = cdk.Duration.seconds(2 * CALL_LIMIT_S)
"""The timeout of the function that makes one call."""

_DELAY = cdk.Duration.seconds(1)
"""Messages are sent before the job's record is changed; a call needs the changed record."""


class WebhookQueue(Construct):
    """The queue of webhook calls. Calls that failed to the last one move to `dead_letters`."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.Key | None, alarm_topics: AlarmTopics
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.dead_letters = add_dead_letters(self, key=key)
        self.queue = add_queue(
            self,
            "Calls",
            key=key,
            dead_letters=self.dead_letters,
            max_receives=MAX_CALLS,
            consumer_timeout=CONSUMER_TIMEOUT,
            delay=_DELAY,
        )
        alarm_topics.add_alarm(
            self,
            "webhook-dead-letters",
            metric=self.dead_letters.metric_approximate_number_of_messages_visible(
                period=MINUTE, statistic="Maximum"
            ),
            threshold=0,
            severity=Severity.WARNING,
            summary="Webhook calls have failed to the last attempt and are in the dead-letter queue.",
        )

    def grant_send(self, grantee: iam.IGrantable) -> None:
        """Allows a function to queue webhook calls."""
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["sqs:SendMessage"], resource_arns=[self.queue.queue_arn]
        )
        if self._key:
            self._key.grant(grantee, "kms:Decrypt", "kms:GenerateDataKey")
