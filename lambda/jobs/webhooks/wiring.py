"""Composition root of the webhook function, apart from the others: they do without its HTTP client."""

import os
from functools import cache

from contract.environment import WebhookEnvironment
from contract.webhooks import CALL_LIMIT_S
from guarded_http.client import GuardedClient
from jobs.aws import s3
from jobs.aws.dynamodb import DynamoDBJobRepository
from jobs.aws.s3 import S3JobDocuments
from jobs.aws.secrets import SecretsManagerSigningKeys
from jobs.aws.sqs import SqsWebhookQueue
from jobs.webhooks.client import HttpsReceivers
from jobs.webhooks.delivery import WebhookDelivery
from jobs.wiring import client


@cache
def webhook_delivery() -> WebhookDelivery:
    """The use case, configured by the environment."""
    environment = WebhookEnvironment.read(os.environ)
    documents = S3JobDocuments(client("s3", s3.CLIENT), environment.data_bucket_name)
    return WebhookDelivery(
        # The function only reads records by id, so it does not matter how they are listed.
        jobs=DynamoDBJobRepository(client("dynamodb"), environment.jobs_table_name, shared=True),
        keys=SecretsManagerSigningKeys(client("secretsmanager"), environment.signing_secret_arn),
        receivers=HttpsReceivers(GuardedClient(time_limit_s=CALL_LIMIT_S)),
        bucket=environment.data_bucket_name,
        link=documents.presign,
    )


@cache
def webhook_queue() -> SqsWebhookQueue:
    """The queue, configured by the environment."""
    return SqsWebhookQueue(client("sqs"), WebhookEnvironment.read(os.environ).webhook_queue_url)
