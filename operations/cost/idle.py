"""The monthly cost of a stage without any jobs."""

from collections.abc import Iterator

from contract.source import HubSource
from infra.config import DeploymentConfig
from infra.prices import Prices
from operations.cost.assumptions import Assumptions
from operations.cost.inventory import Inventory
from operations.cost.line_item import LineItem, priced

_HOUR_S = 3600
_MINUTES_PER_HOUR = 60


def idle_items(
    config: DeploymentConfig, inventory: Inventory, prices: Prices, assumptions: Assumptions
) -> list[LineItem]:
    """The line items of a month without jobs. Resources that the stage does not have are omitted.

    Raises:
        UnknownInstanceTypeError: a model's instance type has no price.
    """
    return [
        *_instances(config, prices, assumptions),
        *_storage(config, prices, assumptions),
        *_services(config, inventory, prices, assumptions),
        *_functions(config, inventory, prices, assumptions),
        LineItem(
            "API Gateway, CloudFront, the other functions, SNS, X-Ray, DynamoDB's storage",
            "billed per use: 0 requests, 0 GB of records",
            0.0,
        ),
    ]


def _instances(config: DeploymentConfig, prices: Prices, assumptions: Assumptions) -> Iterator[LineItem]:
    hours = assumptions.usage.hours_per_month
    for model in config.models:
        count, instance_type = model.scaling.min_instances, model.instance_types[0]
        price = prices.instance(instance_type).usd_per_hour
        yield LineItem(
            f"SageMaker, {model.name} on {instance_type}",
            f"{count} instances (min_instances) x {hours} hours x ${price:g}",
            count * hours * price,
        )


def _storage(config: DeploymentConfig, prices: Prices, assumptions: Assumptions) -> Iterator[LineItem]:
    services = prices.services
    in_s3 = [model for model in config.served if not isinstance(model.source, HubSource)]
    sizes = [assumptions.family_of(model.defaults.width, model.defaults.height).weights_gb for model in in_s3]
    if sizes:
        yield priced(
            services.s3_gb_month, sum(sizes), calculation=f"weights, {' + '.join(f'{gb:g}' for gb in sizes)}"
        )
    yield priced(services.image_gb_month, assumptions.idle.image_gb, calculation="one container image")


def _services(
    config: DeploymentConfig, inventory: Inventory, prices: Prices, assumptions: Assumptions
) -> Iterator[LineItem]:
    tokens = {model.source.token_secret_arn for model in config.served if isinstance(model.source, HubSource)}
    services, idle, hours = prices.services, assumptions.idle, assumptions.usage.hours_per_month
    polls = inventory.polled_queues * idle.pollers * hours * _HOUR_S / idle.poll_s
    lines = (
        (services.alarm_metric, inventory.alarm_metrics, ""),
        (services.dashboard, inventory.dashboards, ""),
        (
            services.sqs_request,
            polls,
            (
                f"{inventory.polled_queues} queues x {idle.pollers} pollers x {hours} h "
                f"x 3,600 / {idle.poll_s:g} s"
            ),
        ),
        (services.key_month, inventory.keys, ""),
        (services.secret_month, inventory.secrets + len(tokens - {None}), ""),
        (services.firewall_acl, inventory.web_acls, ""),
        (services.firewall_rule, inventory.web_acl_rules, ""),
        (
            services.vpc_endpoint_hour,
            inventory.endpoint_zones * hours,
            f"{inventory.endpoint_zones} endpoints x zones x {hours} hours",
        ),
    )
    for price, quantity, calculation in lines:
        if quantity:
            yield priced(price, quantity, calculation=calculation)


def _functions(
    config: DeploymentConfig, inventory: Inventory, prices: Prices, assumptions: Assumptions
) -> Iterator[LineItem]:
    """The reconciler, which runs every minute, and the snapshots of the functions with SnapStart."""
    services, job, hours = prices.services, assumptions.job, assumptions.usage.hours_per_month
    if runs := inventory.schedules * hours * _MINUTES_PER_HOUR:
        queues = len(config.models)
        yield priced(
            services.lambda_request, runs, calculation=f"reconciler, {hours} h x {_MINUTES_PER_HOUR}"
        )
        yield priced(
            services.lambda_gb_second,
            runs * job.function_s * job.function_gb,
            calculation=f"reconciler, {runs:,} x {job.function_s:g} s x {job.function_gb:g} GB",
        )
        yield priced(
            services.dynamodb_read,
            runs * queues,
            calculation=f"reconciler, {runs:,} x {queues} endpoints",
        )
    if inventory.snapshot_gb:
        yield priced(
            services.snapshot_gb_hour,
            inventory.snapshot_gb * hours,
            calculation=f"{inventory.snapshot_gb:g} GB x {hours} h",
        )
