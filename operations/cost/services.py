"""The monthly cost of the services around the endpoints, for jobs of one image and one model."""

from infra.config import ApiKeyAuth, DeploymentConfig
from infra.prices import Prices
from operations.cost.assumptions import Assumptions, Family
from operations.cost.line_item import LineItem, priced

_KB_PER_GB = 1_000_000
_MB_PER_GB = 1_000


def service_items(
    images: int, family: Family, config: DeploymentConfig, prices: Prices, assumptions: Assumptions
) -> list[LineItem]:
    """The line items that depend on the number of images, except instances."""
    services, job = prices.services, assumptions.job
    requests = images * (1 + job.polls)
    invocations = requests + images
    months = config.retention_days / assumptions.usage.days_per_month
    log_gb = images * job.log_kb / _KB_PER_GB
    log_months = config.log_retention_days / assumptions.usage.days_per_month
    records_gb = images * job.record_kb / _KB_PER_GB * months
    images_gb = images * family.image_mb / _MB_PER_GB
    items = [
        priced(services.api_request, requests, calculation=f"{images:,} x (1 + {job.polls} polls)"),
        priced(services.lambda_request, invocations, calculation=f"{images:,} x (2 + {job.polls})"),
        priced(
            services.lambda_gb_second,
            invocations * job.function_s * job.function_gb,
            calculation=f"{invocations:,} x {job.function_s:g} s x {job.function_gb:g} GB",
        ),
        priced(
            services.dynamodb_write, images * job.table_writes, calculation=f"{images:,} x {job.table_writes}"
        ),
        priced(
            services.dynamodb_read,
            images * (job.table_reads + job.polls),
            calculation=f"{images:,} x ({job.table_reads} + {job.polls})",
        ),
        priced(
            services.dynamodb_gb_month,
            records_gb,
            calculation=_stored(images, f"{job.record_kb:g} KB", months),
        ),
        priced(services.dynamodb_recovery_gb_month, records_gb),
        priced(services.s3_put, images * job.bucket_puts, calculation=f"{images:,} x {job.bucket_puts}"),
        priced(services.s3_get, images * job.bucket_gets, calculation=f"{images:,} x {job.bucket_gets}"),
        priced(
            services.s3_gb_month,
            images_gb * months,
            calculation=_stored(images, f"{family.image_mb:g} MB", months),
        ),
        priced(
            services.sns_publish, images * job.notifications, calculation=f"{images:,} x {job.notifications}"
        ),
        priced(
            services.sqs_request,
            images * job.queue_requests,
            calculation=f"{images:,} x {job.queue_requests}",
        ),
        priced(services.log_gb, log_gb, calculation=f"{images:,} x {job.log_kb:g} KB"),
        priced(
            services.log_gb_month,
            log_gb * log_months,
            calculation=_stored(images, f"{job.log_kb:g} KB", log_months),
        ),
        priced(services.custom_metric, job.container_metrics, calculation="at most one model's metrics"),
        priced(
            services.internet_gb,
            images_gb * job.downloads,
            calculation=f"{images:,} x {family.image_mb:g} MB x {job.downloads:g} downloads",
        ),
    ]
    if isinstance(config.api.auth, ApiKeyAuth):
        items += [
            priced(services.lambda_request, requests, calculation=f"authorizer, {requests:,} requests"),
            priced(
                services.lambda_gb_second,
                requests * job.authorizer_s * job.function_gb,
                calculation=f"authorizer, {requests:,} x {job.authorizer_s:g} s x {job.function_gb:g} GB",
            ),
        ]
    if config.page is not None:
        items += [
            priced(services.cloudfront_request, requests, calculation="at most all requests to the API"),
            priced(
                services.cloudfront_gb,
                requests * job.answer_kb / _KB_PER_GB,
                calculation=f"{requests:,} x {job.answer_kb:g} KB",
            ),
        ]
    if config.tracing:
        items.append(priced(services.trace, invocations, calculation="at most one per invocation"))
    if config.api.firewall_requests_per_5_minutes is not None:
        items.append(priced(services.firewall_request, requests))
    return items


def _stored(images: int, size: str, months: float) -> str:
    return f"{images:,} x {size} x {months:g} months"
