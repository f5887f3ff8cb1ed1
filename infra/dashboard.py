"""The CloudWatch dashboard of a stage."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from contract import metrics
from infra.alarms import MINUTE
from infra.endpoint import AsyncEndpoint
from infra.prices import Prices

_WIDTH = 8


class OperationsDashboard(Construct):
    """Graphs per endpoint (backlog, instances, cost, GPU) and per model (durations, images, failures)."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: str, endpoints: Sequence[AsyncEndpoint]
    ) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=None)
        for endpoint in endpoints:
            name = endpoint.model.name
            dashboard.add_widgets(cloudwatch.TextWidget(markdown=f"## {name}", width=24))
            dashboard.add_widgets(
                self._backlog(endpoint), self._time_in_backlog(endpoint), self._instances(endpoint)
            )
            dashboard.add_widgets(
                self._durations(stage, name), self._gpu(endpoint), self._images(stage, name)
            )
            for companion in endpoint.model.companions:
                heading = f"### {companion.name} (companion of {name})"
                dashboard.add_widgets(cloudwatch.TextWidget(markdown=heading, width=24))
                dashboard.add_widgets(
                    self._durations(stage, companion.name), self._images(stage, companion.name)
                )

    @staticmethod
    def _backlog(endpoint: AsyncEndpoint) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title="Backlog: requests waiting and running",
            width=_WIDTH,
            left=[
                endpoint.metrics.queue("ApproximateBacklogSize", "Maximum"),
                endpoint.metrics.queue("ApproximateBacklogSizePerInstance", "Maximum"),
            ],
        )

    @staticmethod
    def _time_in_backlog(endpoint: AsyncEndpoint) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title="Time in backlog",
            width=_WIDTH,
            left=[endpoint.metrics.queue("ApproximateAgeOfOldestRequest", "Maximum")],
            right=[endpoint.metrics.requests("TimeInBacklog", "Average")],
        )

    @staticmethod
    def _instances(endpoint: AsyncEndpoint) -> cloudwatch.IWidget:
        """The instance count is the number of CPU samples: each instance reports one per minute."""
        count = endpoint.metrics.instances("CPUUtilization", "SampleCount")
        preferred = Prices.read().instances.get(endpoint.model.instance_types[0])
        costs = (
            []
            if preferred is None
            else [
                cloudwatch.MathExpression(
                    expression=f"count * {preferred.usd_per_hour:g}",
                    using_metrics={"count": count},
                    label="USD per hour at the price of the first instance type",
                    period=MINUTE,
                )
            ]
        )
        return cloudwatch.GraphWidget(
            title="Instances and their cost",
            width=_WIDTH,
            left=[count.with_(label="Instances")],
            right=costs,
        )

    @staticmethod
    def _durations(stage: str, model: str) -> cloudwatch.IWidget:
        names = (
            metrics.QUEUE_SECONDS,
            metrics.FETCH_SECONDS,
            metrics.DENOISE_SECONDS,
            metrics.ENCODE_SECONDS,
            metrics.UPLOAD_SECONDS,
        )
        return cloudwatch.GraphWidget(
            title="Duration of a job's phases: seconds, p95",
            width=_WIDTH,
            left=[_container_metric(stage, model, name, "p95") for name in names],
        )

    @staticmethod
    def _gpu(endpoint: AsyncEndpoint) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title="GPU",
            width=_WIDTH,
            left=[endpoint.metrics.instances(f"GPU{kind}Utilization", "Maximum") for kind in ("", "Memory")],
        )

    @staticmethod
    def _images(stage: str, model: str) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title="Images and failures",
            width=_WIDTH,
            left=[_container_metric(stage, model, metrics.IMAGES, "Sum")],
            right=[_container_metric(stage, model, metrics.FAILURES, "Sum")],
        )


def _container_metric(stage: str, model: str, name: str, statistic: str) -> cloudwatch.Metric:
    """A metric that the inference container writes."""
    return cloudwatch.Metric(
        namespace=metrics.NAMESPACE,
        metric_name=name,
        dimensions_map=metrics.dimensions(stage=stage, model=model),
        statistic=statistic,
        period=MINUTE,
    )
