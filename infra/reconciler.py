"""The reconciler: a function that EventBridge calls every minute."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from contract.environment import ReconcilerEnvironment
from contract.metrics import NAMESPACE, STAGE_DIMENSION
from infra.alarms import MINUTE, AlarmTopics, Severity
from infra.config import DeploymentConfig
from infra.endpoint_access import grant_invoke
from infra.functions import SERVICE_NAME, JobsFunction, model_endpoints
from infra.storage import Storage
from infra.webhook_queue import WebhookQueue

_TIMEOUT = cdk.Duration.seconds(60)


class ReconcilerFunction(Construct):
    """The function that ends jobs whose completion messages were lost, its schedule and its alarms."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        storage: Storage,
        webhook_queue: WebhookQueue,
        alarm_topics: AlarmTopics,
    ) -> None:
        super().__init__(scope, construct_id)
        function = JobsFunction(
            self,
            "Reconcile",
            handler="jobs.reconciler_handler.handler",
            description="Ends overdue jobs, and submits interrupted ones once more.",
            environment=ReconcilerEnvironment(
                jobs_table_name=storage.jobs_table.table_name,
                estimates_table_name=storage.estimates_table.table_name,
                data_bucket_name=storage.data_bucket.bucket_name,
                webhook_queue_url=webhook_queue.queue.queue_url,
                powertools_service_name=SERVICE_NAME,
                model_endpoints=model_endpoints(config),
                stage=config.stage,
            ),
            timeout=_TIMEOUT,
            config=config,
            alarm_topics=alarm_topics,
        )
        storage.grant_reconciler(function.function)
        webhook_queue.grant_send(function.function)
        grant_invoke(self, function.function, config)
        events.Rule(
            self,
            "Schedule",
            description="Runs the reconciler of jobs.",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            targets=[targets.LambdaFunction(function.function, retry_attempts=0)],
        )
        alarm_topics.add_alarm(
            self,
            "jobs-reconciled",
            metric=_expired_or_late(config.stage),
            threshold=0,
            minutes=5,
            severity=Severity.WARNING,
            summary="The reconciler has ended or resubmitted jobs in each of the last five minutes.",
        )


def _expired_or_late(stage: str) -> cloudwatch.MathExpression:
    """The number of jobs that ended, or were submitted again, without a completion message."""
    names = ("JobsCompletedLate", "JobsResubmitted", "JobsFailedByReconciler", "JobsExpired")
    metrics: dict[str, cloudwatch.IMetric] = {
        f"m{index}": cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={STAGE_DIMENSION: stage, "service": SERVICE_NAME},
            statistic="Sum",
            period=MINUTE,
        )
        for index, name in enumerate(names)
    }
    return cloudwatch.MathExpression(
        expression=" + ".join(metrics),
        using_metrics=metrics,
        label="jobs ended or submitted by the reconciler",
        period=MINUTE,
    )
