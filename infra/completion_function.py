"""The Lambda function that finishes jobs from SageMaker's completion messages."""

from aws_cdk import aws_lambda_event_sources as event_sources
from constructs import Construct

from contract.environment import CompletionEnvironment
from infra.alarms import AlarmTopics
from infra.completion_queue import CONSUMER_TIMEOUT, CompletionQueue
from infra.config import DeploymentConfig
from infra.functions import SERVICE_NAME, JobsFunction
from infra.storage import Storage


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
        alarm_topics: AlarmTopics,
    ) -> None:
        super().__init__(scope, construct_id)
        function = JobsFunction(
            self,
            "Settle",
            handler="jobs.completion_handler.handler",
            description="Finishes jobs from SageMaker's completion messages.",
            environment=CompletionEnvironment(
                jobs_table_name=storage.jobs_table.table_name,
                data_bucket_name=storage.data_bucket.bucket_name,
                powertools_service_name=SERVICE_NAME,
            ),
            timeout=CONSUMER_TIMEOUT,
            config=config,
            alarm_topics=alarm_topics,
        )
        storage.grant_completion_function(function.function)
        function.function.add_event_source(
            event_sources.SqsEventSource(
                completion_queue.queue, batch_size=10, report_batch_item_failures=True
            )
        )
