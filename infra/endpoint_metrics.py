"""SageMaker's metrics of an endpoint."""

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.alarms import MINUTE
from infra.endpoint_names import VARIANT_NAME

_QUEUE_NAMESPACE = "AWS/SageMaker"
_INSTANCE_NAMESPACE = "/aws/sagemaker/Endpoints"


@dataclass(frozen=True)
class EndpointMetrics:
    """Metrics with a period of one minute."""

    endpoint_name: str

    def queue(self, name: str, statistic: str) -> cloudwatch.Metric:
        """A metric of the asynchronous queue; its only dimension is the endpoint."""
        return cloudwatch.Metric(
            namespace=_QUEUE_NAMESPACE,
            metric_name=name,
            dimensions_map={"EndpointName": self.endpoint_name},
            statistic=statistic,
            period=MINUTE,
        )

    def requests(self, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """A metric of requests that leave the queue; its dimensions are endpoint and variant."""
        return cloudwatch.Metric(
            namespace=_QUEUE_NAMESPACE,
            metric_name=name,
            dimensions_map={"EndpointName": self.endpoint_name, "VariantName": VARIANT_NAME},
            statistic=statistic,
            period=MINUTE,
        )

    def instances(self, name: str, statistic: str) -> cloudwatch.Metric:
        """A metric of the instances; each instance reports once per minute."""
        return cloudwatch.Metric(
            namespace=_INSTANCE_NAMESPACE,
            metric_name=name,
            dimensions_map={"EndpointName": self.endpoint_name, "VariantName": VARIANT_NAME},
            statistic=statistic,
            period=MINUTE,
        )
