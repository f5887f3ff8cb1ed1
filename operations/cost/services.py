"""What the services around the endpoints cost for a month's images, one image a job and one model."""

from infra.config import DeploymentConfig
from infra.prices import Prices
from operations.cost.assumptions import Assumptions, Family
from operations.cost.item import Item, priced

_KB_PER_GB = 1_000_000
_MB_PER_GB = 1_000


def service_items(
    images: int, family: Family, config: DeploymentConfig, prices: Prices, assumptions: Assumptions
) -> list[Item]:
    """The lines of the month's bill beside the instances' and the idle ones."""
    services, job = prices.services, assumptions.job
    requests = images * (1 + job.polls)
    invocations = requests + images
    months = config.retention_days / assumptions.use.days_a_month
    log_gb = images * job.log_kb / _KB_PER_GB
    log_months = config.log_retention_days / assumptions.use.days_a_month
    records_gb = images * job.record_kb / _KB_PER_GB * months
    pictures_gb = images * family.image_mb / _MB_PER_GB
    items = [
        priced(services.api_request, requests, of=f"{images:,} x (1 + {job.polls} polls)"),
        priced(services.lambda_request, invocations, of=f"{images:,} x (2 + {job.polls})"),
        priced(
            services.lambda_gb_second,
            invocations * job.function_s * job.function_gb,
            of=f"{invocations:,} x {job.function_s:g} s x {job.function_gb:g} GB",
        ),
        priced(services.dynamodb_write, images * job.table_writes, of=f"{images:,} x {job.table_writes}"),
        priced(
            services.dynamodb_read,
            images * (job.table_reads + job.polls),
            of=f"{images:,} x ({job.table_reads} + {job.polls})",
        ),
        priced(services.dynamodb_gb_month, records_gb, of=_kept(images, f"{job.record_kb:g} KB", months)),
        priced(services.dynamodb_recovery_gb_month, records_gb),
        priced(services.s3_put, images * job.bucket_puts, of=f"{images:,} x {job.bucket_puts}"),
        priced(services.s3_get, images * job.bucket_gets, of=f"{images:,} x {job.bucket_gets}"),
        priced(
            services.s3_gb_month, pictures_gb * months, of=_kept(images, f"{family.image_mb:g} MB", months)
        ),
        priced(services.sns_publish, images * job.notices, of=f"{images:,} x {job.notices}"),
        priced(services.sqs_request, images * job.queue_requests, of=f"{images:,} x {job.queue_requests}"),
        priced(services.log_gb, log_gb, of=f"{images:,} x {job.log_kb:g} KB"),
        priced(
            services.log_gb_month, log_gb * log_months, of=_kept(images, f"{job.log_kb:g} KB", log_months)
        ),
        priced(services.custom_metric, job.container_metrics, of="one model's, at the most"),
        priced(
            services.internet_gb,
            pictures_gb * job.downloads,
            of=f"{images:,} x {family.image_mb:g} MB x {job.downloads:g} downloads",
        ),
    ]
    if config.tracing:
        items.append(priced(services.trace, invocations, of="at the most one an invocation"))
    if config.api.firewall_requests_per_5_minutes is not None:
        items.append(priced(services.firewall_request, requests))
    return items


def _kept(images: int, size: str, months: float) -> str:
    return f"{images:,} x {size} x {months:g} months"
