"""Queues with dead-letter queues, encrypted at rest and in transit."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_DEAD_LETTERS_DAYS = 14
_TIMEOUTS_OF_VISIBILITY = 6
"""AWS's recommendation for queues that Lambda functions consume."""


def add_dead_letters(scope: Construct, *, key: kms.IKey | None) -> sqs.Queue:
    """Adds the dead-letter queue of a queue."""
    return _add_queue(scope, "DeadLetters", key=key, retention_period=cdk.Duration.days(_DEAD_LETTERS_DAYS))


def add_queue(
    scope: Construct,
    construct_id: str,
    *,
    key: kms.IKey | None,
    dead_letters: sqs.Queue,
    max_receives: int,
    consumer_timeout: cdk.Duration,
    delay: cdk.Duration | None = None,
) -> sqs.Queue:
    """Adds a queue.

    Args:
        scope: the parent construct.
        construct_id: the id within the parent.
        key: encrypts the messages; None for SQS's own key.
        dead_letters: the queue for messages that failed.
        max_receives: receives after which a message moves there.
        consumer_timeout: the timeout of the function that consumes the queue, per batch.
        delay: the time until a message is first delivered; None for none.
    """
    return _add_queue(
        scope,
        construct_id,
        key=key,
        visibility_timeout=cdk.Duration.seconds(_TIMEOUTS_OF_VISIBILITY * consumer_timeout.to_seconds()),
        delivery_delay=delay,
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=max_receives),
    )


def _add_queue(
    scope: Construct,
    construct_id: str,
    *,
    key: kms.IKey | None,
    visibility_timeout: cdk.Duration | None = None,
    delivery_delay: cdk.Duration | None = None,
    retention_period: cdk.Duration | None = None,
    dead_letter_queue: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    return sqs.Queue(
        scope,
        construct_id,
        enforce_ssl=True,
        encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
        encryption_master_key=key,
        visibility_timeout=visibility_timeout,
        delivery_delay=delivery_delay,
        retention_period=retention_period,
        dead_letter_queue=dead_letter_queue,
    )
