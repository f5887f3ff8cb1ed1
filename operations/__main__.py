"""Commands for operators: `python -m operations doctor` and `python -m operations cost`."""

import argparse
import sys

from rich.console import Console

from operations.doctor.aws import ConfiguredAws
from operations.doctor.report import report
from operations.doctor.runner import run_checks
from operations.stages import ROOT


def main() -> int:
    """Runs the command of the command line. Returns the exit status."""
    arguments = _parser().parse_args()
    status: int = arguments.run(arguments, Console(highlight=False))
    return status


def _doctor(arguments: argparse.Namespace, console: Console) -> int:
    results = run_checks(arguments.stage, ConfiguredAws(), ROOT)
    return 0 if report(results, console) else 1


def _cost(arguments: argparse.Namespace, console: Console) -> int:
    from operations.cost import command  # imports aws_cdk, which needs Node; the doctor must run without it

    images = command.DEFAULT_IMAGES if arguments.images is None else (arguments.images,)
    try:
        estimate = command.create_estimate(arguments.stage, images, arguments.seconds)
        command.show_cost(console, estimate)
    except command.USER_ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    commands = parser.add_subparsers(required=True)
    doctor = commands.add_parser("doctor", help="check everything that a deployment needs")
    doctor.set_defaults(run=_doctor)
    cost = commands.add_parser("cost", help="estimate the monthly cost of a stage, idle and in use")
    cost.add_argument("--images", type=_at_least_one, help="images per month; default: 1,000 and 1,000,000")
    cost.add_argument(
        "--seconds", type=_above_zero, help="seconds per image, measured on the stage's instance types"
    )
    cost.set_defaults(run=_cost)
    for command in (doctor, cost):
        command.add_argument("--stage", default="dev", help="the name of a stage in cdk.json; default: dev")
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("must be greater than 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
