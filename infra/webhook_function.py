"""The Lambda function that calls webhooks."""

from aws_cdk import aws_lambda_event_sources as event_sources
from constructs import Construct

from contract.environment import WebhookEnvironment
from infra.alarms import AlarmTopics
from infra.config import DeploymentConfig
from infra.functions import SERVICE_NAME, JobsFunction
from infra.signing_secret import SigningSecret
from infra.storage import Storage
from infra.webhook_queue import CONSUMER_TIMEOUT, WebhookQueue

_MAX_CONCURRENCY = 10
"""Slow receivers occupy no more of the account's concurrency."""


class WebhookConsumer(Construct):
    """The consumer of the webhook queue. Each invocation makes one call: receivers do not delay others."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        storage: Storage,
        webhook_queue: WebhookQueue,
        signing_secret: SigningSecret,
        alarm_topics: AlarmTopics,
    ) -> None:
        super().__init__(scope, construct_id)
        function = JobsFunction(
            self,
            "Call",
            handler="jobs.webhook_handler.handler",
            description="Calls webhooks for the events of jobs.",
            environment=WebhookEnvironment(
                jobs_table_name=storage.jobs_table.table_name,
                data_bucket_name=storage.data_bucket.bucket_name,
                webhook_queue_url=webhook_queue.queue.queue_url,
                signing_secret_arn=signing_secret.arn,
                powertools_service_name=SERVICE_NAME,
            ),
            timeout=CONSUMER_TIMEOUT,
            config=config,
            alarm_topics=alarm_topics,
        )
        storage.grant_webhook_function(function.function)
        signing_secret.grant_read(function.function)
        function.function.add_event_source(
            event_sources.SqsEventSource(
                webhook_queue.queue,
                batch_size=1,
                max_concurrency=_MAX_CONCURRENCY,
                report_batch_item_failures=True,
            )
        )
