"""The command `cost`: an estimate on the console, or as docs/cost.md."""

from itertools import chain

from rich.console import Console

from infra.config import DeploymentConfig, InvalidConfigurationError
from infra.prices import Prices, UnknownInstanceTypeError
from operations.cost.assumptions import Assumptions
from operations.cost.estimate import Estimate
from operations.cost.figures import figures
from operations.cost.inventory import Inventory
from operations.cost.synthesis import templates_of
from operations.cost.tables import Section, markdown, show
from operations.stages import CdkJsonError, read_context

FAILURES = (CdkJsonError, InvalidConfigurationError, UnknownInstanceTypeError)
"""What a user can put right, in words."""

FEW_AND_MANY = (1_000, 1_000_000)

_ABOUT = Section(
    "About this page",
    (
        (
            "Written by `python -m operations cost --markdown > docs/cost.md`; a test compares it with what "
            "would be written today. `make cost` prints the same for any stage (`STAGE=prod`); its options "
            "are `--images N`, and `--seconds S` for what you have measured."
        ),
    ),
)


def show_cost(console: Console, estimate: Estimate) -> None:
    """Prints the estimate.

    Raises:
        UnknownInstanceTypeError: an instance type of the stage has no price.
    """
    show(estimate.sections(), console)


def document(estimate: Estimate) -> str:
    """The estimate as a page, with every figure that it is made from.

    Raises:
        UnknownInstanceTypeError: an instance type of the stage has no price.
    """
    sections = chain([_ABOUT], estimate.sections(), figures(estimate.prices, estimate.assumptions))
    return markdown("What it costs", sections)


def estimate_of(
    stage: str, images: tuple[int, ...] = FEW_AND_MANY, measured_s: float | None = None
) -> Estimate:
    """The stage as it would be deployed now, with the prices and assumptions of this directory.

    Args:
        stage: its name in cdk.json.
        images: a month, each number of which is counted.
        measured_s: seconds an image; None: the published ones.

    Raises:
        CdkJsonError: cdk.json cannot be read.
        InvalidConfigurationError: it has no such stage, or something in it is wrong.
    """
    context = read_context()
    config = DeploymentConfig.of_stage(stage, context["stages"])
    inventory = Inventory.of(templates_of(config, context))
    return Estimate(config, inventory, Prices.read(), Assumptions.read(), images, measured_s)
