"""`python -m bench.front`: the API beside another front, the way of a job, and the load of the API."""

import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.front import comparison, load, way
from bench.front.messages import CountedMessages
from local.emulator import Parts
from local.stack import LocalStack


def main() -> int:
    """Measures, and prints Markdown tables."""
    messages = CountedMessages()
    report = partial(print, file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as directory:
        parts = Parts(deliver=messages.deliver)
        stack = LocalStack.start(port=0, directory=Path(directory), report=report, parts=parts)
        try:
            for section in _sections(stack, messages, Path(directory)):
                print(f"{section}\n", flush=True)
        finally:
            stack.stop()
    return 0


def _sections(stack: LocalStack, messages: CountedMessages, directory: Path) -> Iterator[str]:
    yield way.table(stack, clients=1, jobs=20)
    yield way.table(stack, clients=16, jobs=64)
    yield from comparison.tables(stack, messages, directory / "cdk.out")
    yield load.table(stack, clients=16, requests=320)  # last: its jobs keep the container busy


if __name__ == "__main__":
    sys.exit(main())
