"""`python -m bench.soak`: a soak test with injected faults, and its table."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from bench.soak.messages import FaultyMessages
from bench.soak.ministack import SEED_VARIABLE
from bench.soak.run import MODEL_SETTINGS, run, table
from local.emulator import Parts
from local.stack import LocalStack

CONTAINER = (sys.executable, "-m", "bench.soak.container")


def main() -> int:
    """Runs the soak test; a job that does not end in a true state raises an error."""
    arguments = _parser().parse_args()
    os.environ[SEED_VARIABLE] = arguments.seed
    messages = FaultyMessages(arguments.seed)
    parts = Parts(ministack="bench.soak.ministack", container=CONTAINER, deliver=messages.deliver)
    with tempfile.TemporaryDirectory() as directory:
        stack = LocalStack.start(
            port=0, directory=Path(directory), report=_report, parts=parts, model_settings=MODEL_SETTINGS
        )
        try:
            report = run(
                stack, jobs=arguments.jobs, clients=arguments.clients, kills=2, with_fatal_request=True
            )
        finally:
            stack.stop()
    print(table(report, messages.faults))
    return 0


def _report(line: str) -> None:
    print(line, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--jobs", type=int, default=500, help="the number of jobs")
    parser.add_argument("--clients", type=int, default=16, help="clients at once")
    parser.add_argument("--seed", default="1", help="decides which messages and calls fail")
    return parser


if __name__ == "__main__":
    sys.exit(main())
