"""The operator's commands: `python -m operations doctor` and `python -m operations cost`."""

import argparse
import sys

from rich.console import Console

from operations.doctor.aws import ConfiguredAws
from operations.doctor.report import report
from operations.doctor.runner import examine
from operations.stages import ROOT


def main() -> int:
    """Runs a command and gives its exit status."""
    arguments = _parser().parse_args()
    status: int = arguments.run(arguments, Console(highlight=False))
    return status


def _doctor(arguments: argparse.Namespace, console: Console) -> int:
    lines = examine(arguments.stage, ConfiguredAws(), ROOT)
    return 0 if report(lines, console) else 1


def _cost(arguments: argparse.Namespace, console: Console) -> int:
    from operations.cost import command  # its imports start Node; the doctor must do without

    images = command.FEW_AND_MANY if arguments.images is None else (arguments.images,)
    try:
        estimate = command.estimate_of(arguments.stage, images, arguments.seconds)
        if arguments.markdown:
            print(command.document(estimate), end="")
        else:
            command.show_cost(console, estimate)
    except command.FAILURES as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    commands = parser.add_subparsers(required=True)
    doctor = commands.add_parser("doctor", help="check everything that a deployment needs")
    doctor.set_defaults(run=_doctor)
    cost = commands.add_parser("cost", help="estimate what a stage costs, idle and by the image")
    cost.add_argument("--images", type=_at_least_one, help="a month; otherwise 1,000 and 1,000,000")
    cost.add_argument(
        "--seconds", type=_above_zero, help="an image, as you measured on the stage's instances"
    )
    cost.add_argument("--markdown", action="store_true", help="write docs/cost.md to the standard output")
    cost.set_defaults(run=_cost)
    for command in (doctor, cost):
        command.add_argument("--stage", default="dev", help="its name in cdk.json")
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("must be more than 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
