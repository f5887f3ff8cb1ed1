"""The alarms of an endpoint."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from contract.metrics import FAILURES, NAMESPACE, dimensions
from infra.alarms import MINUTE, AlarmTopics, Severity
from infra.config import DeploymentConfig, ModelConfig
from infra.endpoint_metrics import EndpointMetrics


@dataclass(frozen=True)
class EndpointAlarms:
    """Alarms of an endpoint that others refer to.

    Attributes:
        of_a_version: those that a faulty version of the container or of the model fires.
    """

    of_a_version: Sequence[cloudwatch.Alarm]


def add_alarms(
    scope: Construct,
    metrics: EndpointMetrics,
    *,
    model: ModelConfig,
    config: DeploymentConfig,
    alarm_topics: AlarmTopics,
) -> EndpointAlarms:
    """Adds the alarms to the endpoint's construct."""
    name, thresholds = model.name, config.alarms
    alarm_topics.add_alarm(
        scope,
        "backlog-age",
        metric=metrics.queue("ApproximateAgeOfOldestRequest", "Maximum"),
        threshold=thresholds.backlog_age_s,
        minutes=5,
        severity=Severity.WARNING,
        summary=f"The oldest request to {name} has been waiting for more than {thresholds.backlog_age_s} s.",
    )
    alarm_topics.add_alarm(
        scope,
        "wake-up-slow",
        metric=metrics.queue("HasBacklogWithoutCapacity", "Maximum"),
        threshold=0,
        minutes=thresholds.wake_up_s // 60,
        severity=Severity.CRITICAL,
        summary=f"Requests to {name} have been waiting for an instance for {thresholds.wake_up_s} s.",
    )
    alarm_topics.add_alarm(
        scope,
        "gpu-memory",
        metric=metrics.instances("GPUMemoryUtilization", "Maximum"),
        threshold=thresholds.gpu_memory_percent,
        minutes=5,
        severity=Severity.WARNING,
        summary=f"The GPU memory of {name} is more than {thresholds.gpu_memory_percent:g} % full.",
    )
    most_jobs_failing = alarm_topics.add_alarm(
        scope,
        "most-jobs-failing",
        metric=cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=FAILURES,
            dimensions_map=dimensions(stage=config.stage, model=name),
            statistic="Average",
            period=MINUTE,
        ),
        threshold=0.5,
        minutes=3,
        severity=Severity.CRITICAL,
        summary=f"More than half of the jobs of {name} have failed for three minutes.",
    )
    for entry, metric, minutes, summary in (
        ("jobs-failing", "InvocationFailures", 5, f"Jobs of {name} have failed for five minutes."),
        ("requests-expired", "ExpiredRequests", 1, f"Requests waited for {name} beyond request_ttl_s."),
        ("notifications-failing", "NotificationFailures", 1, f"{name} lacks completion messages."),
        ("downloads-failing", "RequestDownloadFailures", 1, f"SageMaker cannot read requests to {name}."),
        ("uploads-failing", "ResponseUploadFailures", 1, f"SageMaker cannot store results of {name}."),
    ):
        alarm_topics.add_alarm(
            scope,
            entry,
            metric=metrics.requests(metric),
            threshold=0,
            minutes=minutes,
            severity=Severity.WARNING,
            summary=summary,
        )
    return EndpointAlarms(of_a_version=[most_jobs_failing])
