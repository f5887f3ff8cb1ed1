"""Lambda handler of the reconciler, called once a minute by EventBridge."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from contract.metrics import NAMESPACE, STAGE_DIMENSION
from jobs import wiring
from jobs.reconciliation import Action

_RESERVE_MS = 10_000
"""The run ends this long before the function's timeout; the next one continues."""

logger = Logger()
metrics = Metrics(namespace=NAMESPACE)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Examines the overdue jobs, and publishes the number of each action as a metric."""
    reconciler = wiring.reconciler()
    actions = reconciler.run(may_continue=lambda: context.get_remaining_time_in_millis() > _RESERVE_MS)
    metrics.add_dimension(STAGE_DIMENSION, wiring.stage())
    for action in Action:
        metrics.add_metric(action.value, MetricUnit.Count, actions[action])
    counts = {action.value: actions[action] for action in Action}
    logger.info("reconciled", extra=counts)
    return counts
