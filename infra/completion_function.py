"""The Lambda function that finishes jobs from SageMaker's completion messages."""

from aws_cdk import aws_lambda_event_sources as event_sources
from constructs import Construct

from contract.environment import CompletionEnvironment
from infra.alarms import AlarmTopics
from infra.completion_queue import CONSUMER_TIMEOUT, CompletionQueue
from infra.config import DeploymentConfig
from infra.functions import SERVICE_NAME, JobsFunction, model_endpoints
from infra.storage import Storage
from infra.webhook_queue import WebhookQueue


class CompletionConsumer(Construct):
    """The consumer of the completion queue."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        storage: Storage,
        completion_queue: CompletionQueue,
        webhook_queue: WebhookQueue,
        alarm_topics: AlarmTopics,
    ) -> None:
        super().__init__(scope, construct_id)
        function = JobsFunction(
            self,
            "Settle",
            handler="jobs.completion_handler.handler",
            description="Starts and finishes jobs from start markers and completion messages.",
            environment=CompletionEnvironment(
                jobs_table_name=storage.jobs_table.table_name,
                estimates_table_name=storage.estimates_table.table_name,
                data_bucket_name=storage.data_bucket.bucket_name,
                webhook_queue_url=webhook_queue.queue.queue_url,
                powertools_service_name=SERVICE_NAME,
                model_endpoints=model_endpoints(config),
            ),
            timeout=CONSUMER_TIMEOUT,
            config=config,
            alarm_topics=alarm_topics,
        )
        storage.grant_completion_function(function.function)
        webhook_queue.grant_send(function.function)
        function.function.add_event_source(
            event_sources.SqsEventSource(
                completion_queue.queue, batch_size=10, report_batch_item_failures=True
            )
        )
