"""The local stack's commands: `python -m local demo`, `showcase` and `up`."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.markup import escape

from local import demo
from local.client import JobFailedError, UnreachableError
from local.deployment import DeploymentError
from local.emulator import StartError
from local.processes import ProcessEndedError
from local.sagemaker.container import ContainerError
from local.showcase import command as showcase
from local.showcase.command import Api, RowsFailedError
from local.stack import ROOT, LocalStack
from local.web_server import PortTakenError

_CHECK_S = 0.5
_INTERRUPTED = 130
_FAILURES = (
    ContainerError,
    DeploymentError,
    JobFailedError,
    PortTakenError,
    ProcessEndedError,
    RowsFailedError,
    StartError,
    UnreachableError,
)


def main() -> int:
    """Runs a command and gives its exit status."""
    parser = _parser()
    arguments = parser.parse_args()
    console = Console(highlight=False)
    _on_signals(_interrupt)
    stack: LocalStack | None = None
    try:
        if arguments.command == "showcase" and (running := _running_api(parser, arguments)):
            showcase.run(running, output=arguments.output, console=console)
            return 0
        stack = LocalStack.start(
            port=arguments.port,
            directory=arguments.directory,
            report=lambda event: console.print(f"[dim]{event}[/dim]"),
        )
        match arguments.command:
            case "demo":
                demo.run(stack, prompt=arguments.prompt, output=arguments.output, console=console)
            case "showcase":
                own = Api(stack.address.api_url, stack.address.api_key)
                showcase.run(own, output=arguments.output, console=console)
            case "up":
                _stay_up(stack, console, arguments.directory)
    except _FAILURES as error:
        console.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True, markup=True)
        return 1
    except KeyboardInterrupt:
        console.print("stopping")
        return 0 if arguments.command == "up" else _INTERRUPTED
    finally:
        _on_signals(signal.SIG_IGN)
        if stack is not None:
            stack.stop()
    return 0


def _running_api(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> Api | None:
    """The API that the arguments name, or else the local stack's; None where none runs."""
    if not arguments.api_url:
        return showcase.running_locally(arguments.directory)
    if not arguments.api_key:
        parser.error("--api-url needs --api-key")
    return Api(arguments.api_url, arguments.api_key)


def _stay_up(stack: LocalStack, console: Console, directory: Path) -> None:
    address = stack.address
    console.print(f"\nThe API is at [bold]{address.api_url}[/bold]. Ctrl-C ends it. Try:\n")
    body = '{"prompt": "a red circle", "count": 2}'
    console.print(
        f"curl -sS {address.api_url}/v1/jobs -H 'x-api-key: {address.api_key}' -d '{body}'",
        soft_wrap=True,
        markup=False,
    )
    console.print(f"\nAddress and key for scripts: {directory / 'endpoint.json'}", soft_wrap=True)
    while True:
        time.sleep(_CHECK_S)
        stack.check()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _on_signals(signal.SIG_IGN)  # a second Ctrl-C must not interrupt the tidying up
    raise KeyboardInterrupt


def _on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument(
        "--directory", type=Path, default=ROOT / ".local", help="for templates, models, logs, endpoint.json"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("demo", help="draw four pictures through every part, then shut down")
    run.add_argument("--prompt", default=demo.DEFAULT_PROMPT)
    run.add_argument("--output", type=Path, default=ROOT / "out")
    run.set_defaults(port=0)
    show = commands.add_parser(
        "showcase", help="show every feature of a running API, or of a local stack of its own, on one sheet"
    )
    show.add_argument("--api-url", default=os.environ.get("STABLE_DIFFUSION_API_URL"))
    show.add_argument("--api-key", default=os.environ.get("STABLE_DIFFUSION_API_KEY"))
    show.add_argument("--output", type=Path, default=ROOT / "out" / "showcase.png")
    show.set_defaults(port=0)
    up = commands.add_parser("up", help="keep the stack running until Ctrl-C")
    up.add_argument("--port", type=int, default=8080)
    return parser


if __name__ == "__main__":
    sys.exit(main())
