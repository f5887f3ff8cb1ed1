"""The stage on one page."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from contract import metrics
from infra.alarms import MINUTE
from infra.endpoint import AsyncEndpoint
from infra.prices import Prices

_WIDTH = 8


class OperationsDashboard(Construct):
    """Graphs of each endpoint: its queue, its instances and their cost; by model, where jobs' time goes."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: str, endpoints: Sequence[AsyncEndpoint]
    ) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=None)
        for endpoint in endpoints:
            name = endpoint.model.name
            dashboard.add_widgets(cloudwatch.TextWidget(markdown=f"## {name}", width=24))
            dashboard.add_widgets(self._queue(endpoint), self._waiting(endpoint), self._instances(endpoint))
            dashboard.add_widgets(self._time(stage, name), self._gpu(endpoint), self._images(stage, name))
            for companion in endpoint.model.companions:
                heading = f"### {companion.name}, at the endpoint of {name}"
                dashboard.add_widgets(cloudwatch.TextWidget(markdown=heading, width=24))
                dashboard.add_widgets(self._time(stage, companion.name), self._images(stage, companion.name))

    @staticmethod
    def _queue(endpoint: AsyncEndpoint) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title="Backlog: requests waiting and running",
            width=_WIDTH,
            left=[
                endpoint.metric("ApproximateBacklogSize", "Maximum"),
                endpoint.metric("ApproximateBacklogSizePerInstance", "Maximum"),
            ],
        )

    @staticmethod
    def _waiting(endpoint: AsyncEndpoint) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title="Time in backlog",
            width=_WIDTH,
            left=[endpoint.metric("ApproximateAgeOfOldestRequest", "Maximum")],
            right=[endpoint.metric("TimeInBacklog", "Average")],
        )

    @staticmethod
    def _instances(endpoint: AsyncEndpoint) -> cloudwatch.IWidget:
        """Each instance reports its CPU once a minute: the number of reports is that of the instances."""
        count = endpoint.instance_metric("CPUUtilization", "SampleCount")
        preferred = Prices.read().instances.get(endpoint.model.instance_types[0])
        costs = (
            []
            if preferred is None
            else [
                cloudwatch.MathExpression(
                    expression=f"count * {preferred.usd_per_hour:g}",
                    using_metrics={"count": count},
                    label="USD an hour, of the preferred type",
                    period=MINUTE,
                )
            ]
        )
        return cloudwatch.GraphWidget(
            title="Instances, and what they cost",
            width=_WIDTH,
            left=[count.with_(label="Instances")],
            right=costs,
        )

    @staticmethod
    def _time(stage: str, model: str) -> cloudwatch.IWidget:
        names = (
            metrics.QUEUE_SECONDS,
            metrics.FETCH_SECONDS,
            metrics.DENOISE_SECONDS,
            metrics.ENCODE_SECONDS,
            metrics.UPLOAD_SECONDS,
        )
        return cloudwatch.GraphWidget(
            title="Where a job's time goes: seconds, 95th percentile",
            width=_WIDTH,
            left=[_own_metric(stage, model, name, "p95") for name in names],
        )

    @staticmethod
    def _gpu(endpoint: AsyncEndpoint) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title="GPU",
            width=_WIDTH,
            left=[endpoint.instance_metric(f"GPU{kind}Utilization", "Maximum") for kind in ("", "Memory")],
        )

    @staticmethod
    def _images(stage: str, model: str) -> cloudwatch.IWidget:
        return cloudwatch.GraphWidget(
            title="Images and failures",
            width=_WIDTH,
            left=[_own_metric(stage, model, metrics.IMAGES, "Sum")],
            right=[_own_metric(stage, model, metrics.FAILURES, "Sum")],
        )


def _own_metric(stage: str, model: str, name: str, statistic: str) -> cloudwatch.Metric:
    """A metric that the container writes."""
    return cloudwatch.Metric(
        namespace=metrics.NAMESPACE,
        metric_name=name,
        dimensions_map=metrics.dimensions(stage=stage, model=model),
        statistic=statistic,
        period=MINUTE,
    )
