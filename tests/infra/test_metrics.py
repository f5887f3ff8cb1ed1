"""Every metric of the templates has the dimensions with which AWS or this project publishes it."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from aws_cdk.assertions import Template

from contract import metrics
from tests.infra.conftest import Templates

ENDPOINT = ("EndpointName",)
VARIANT = ("EndpointName", "VariantName")
CONTAINER = (metrics.MODEL_DIMENSION, metrics.STAGE_DIMENSION)
FUNCTION = (metrics.STAGE_DIMENSION, "service")

DOCUMENTED = {
    # https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html
    **{
        ("AWS/SageMaker", name): ENDPOINT
        for name in (
            "ApproximateAgeOfOldestRequest",
            "ApproximateBacklogSize",
            "ApproximateBacklogSizePerInstance",
            "HasBacklogWithoutCapacity",
        )
    },
    **{
        ("AWS/SageMaker", name): VARIANT
        for name in (
            "ExpiredRequests",
            "InvocationFailures",
            "InvocationsProcesssed",  # AWS's spelling
            "NotificationFailures",
            "RequestDownloadFailures",
            "RequestDownloadLatency",
            "ResponseUploadFailures",
            "ResponseUploadLatency",
            "TimeInBacklog",
            "TotalProcessingTime",
        )
    },
    # https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
    **{
        ("/aws/sagemaker/Endpoints", name): VARIANT
        for name in ("CPUUtilization", "GPUMemoryUtilization", "GPUUtilization")
    },
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
    ("AWS/ApiGateway", "5XXError"): ("ApiName",),
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    **{("AWS/Lambda", name): ("FunctionName",) for name in ("Errors", "Throttles")},
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    **{
        ("AWS/SQS", name): ("QueueName",)
        for name in ("ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible")
    },
    **{
        (metrics.NAMESPACE, name): CONTAINER
        for name in (
            metrics.DENOISE_SECONDS,
            metrics.ENCODE_SECONDS,
            metrics.FAILURES,
            metrics.FETCH_SECONDS,
            metrics.IMAGES,
            metrics.QUEUE_SECONDS,
            metrics.UPLOAD_SECONDS,
        )
    },
    **{
        (metrics.NAMESPACE, name): FUNCTION
        for name in ("JobsCompletedLate", "JobsExpired", "JobsFailedByReconciler", "JobsResubmitted")
    },
}
"""The names of the dimensions, in alphabetical order, by namespace and metric."""


class Metric(NamedTuple):
    """A metric that a template refers to."""

    namespace: str
    name: str
    dimensions: tuple[str, ...]


def metrics_of(template: Template) -> Iterator[Metric]:
    """The metrics of alarms, of scaling policies and of dashboards."""
    for resource in template.to_json().get("Resources", {}).values():
        properties = resource.get("Properties", {})
        yield from metrics_in(properties)
        if resource["Type"] == "AWS::CloudWatch::Dashboard":
            yield from metrics_of_dashboard(properties["DashboardBody"])


def metrics_in(value: Any) -> Iterator[Metric]:
    match value:
        case {"Namespace": str(namespace), "MetricName": str(name), **rest}:
            yield Metric(namespace, name, names(each["Name"] for each in rest.get("Dimensions", [])))
        case dict():
            for each in value.values():
                yield from metrics_in(each)
        case list():
            for each in value:
                yield from metrics_in(each)


def metrics_of_dashboard(body: Any) -> Iterator[Metric]:
    parts = body["Fn::Join"][1]
    document = json.loads("".join(part if isinstance(part, str) else "token" for part in parts))
    for widget in document["widgets"]:
        for line in widget["properties"].get("metrics", []):
            if isinstance(line[0], str):  # expressions are objects
                namespace, name, *dimensions = (each for each in line if isinstance(each, str))
                yield Metric(namespace, name, names(dimensions[::2]))


def names(dimensions: Any) -> tuple[str, ...]:
    return tuple(sorted(dimensions))


def test_every_metric_of_the_templates_has_its_documented_dimensions(
    small: Templates, large: Templates
) -> None:
    found = {
        metric for templates in (small, large) for each in templates.all() for metric in metrics_of(each)
    }
    differing = {metric for metric in found if metric.dimensions != DOCUMENTED.get(metric[:2])}
    assert not differing


def test_metrics_are_found_in_alarms_expressions_scaling_policies_and_dashboards(small: Templates) -> None:
    by_stack = {stack: set(metrics_of(template)) for stack, template in small.by_stack.items()}
    backlog = Metric("AWS/SageMaker", "ApproximateBacklogSizePerInstance", ENDPOINT)
    assert backlog in by_stack["Endpoint-demo"] & by_stack["Dashboard"]
    assert Metric("AWS/SageMaker", "HasBacklogWithoutCapacity", ENDPOINT) in by_stack["Endpoint-demo"]
    assert Metric("AWS/SageMaker", "TimeInBacklog", VARIANT) in by_stack["Dashboard"]
    assert Metric(metrics.NAMESPACE, "JobsExpired", FUNCTION) in by_stack["Api"]
