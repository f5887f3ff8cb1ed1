"""The local stack's commands: `python -m local demo`, `showcase`, `screenshots` and `up`."""

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

from local import demo, screenshots
from local.address import Address, AlreadyRunningError
from local.browser import BrowserMissingError
from local.client import JobFailedError, UnreachableError
from local.deployment import DeploymentError
from local.emulator import StartError
from local.page import BUILD_COMMAND, is_built
from local.processes import ProcessEndedError
from local.sagemaker.container import ContainerError
from local.showcase import command as showcase
from local.showcase.command import Api, UnexpectedResultsError
from local.stack import PAGE, ROOT, LocalStack
from local.web_server import PortTakenError

_CHECK_INTERVAL_S = 0.5
_INTERRUPTED = 130
_EXPECTED_ERRORS = (
    AlreadyRunningError,
    BrowserMissingError,
    ContainerError,
    DeploymentError,
    JobFailedError,
    PortTakenError,
    ProcessEndedError,
    StartError,
    UnexpectedResultsError,
    UnreachableError,
)


def main() -> int:
    """Runs a command and returns its exit status."""
    parser = _parser()
    arguments = parser.parse_args()
    console = Console(highlight=False)
    _set_signal_handler(_interrupt)
    stack: LocalStack | None = None
    try:
        if arguments.command == "showcase" and (running := _running_api(parser, arguments)):
            showcase.run(running, output=arguments.output, console=console)
            return 0
        stack = LocalStack.start(
            port=arguments.port,
            directory=_stack_directory(arguments),
            report=lambda line: console.print(f"[dim]{line}[/dim]"),
        )
        match arguments.command:
            case "demo":
                demo.run(stack, prompt=arguments.prompt, output=arguments.output, console=console)
            case "showcase":
                own = Api(stack.address.api_url, stack.address.api_key)
                showcase.run(own, output=arguments.output, console=console)
            case "screenshots":
                screenshots.run(stack, output=arguments.output, console=console)
            case "up":
                _print_address(stack.address, console, arguments.directory)
                _run_until_interrupted(stack)
    except _EXPECTED_ERRORS as error:
        console.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True, markup=True)
        return 1
    except KeyboardInterrupt:
        console.print("stopping")
        return 0 if arguments.command == "up" else _INTERRUPTED
    finally:
        _set_signal_handler(signal.SIG_IGN)
        if stack is not None:
            stack.stop()
    return 0


def _running_api(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> Api | None:
    """The API given by the arguments, or that of the running `up`; None if neither exists."""
    if not arguments.api_url:
        return showcase.running_locally(arguments.directory)
    if not arguments.api_key:
        parser.error("--api-url needs --api-key")
    return Api(arguments.api_url, arguments.api_key)


def _stack_directory(arguments: argparse.Namespace) -> Path:
    """The directory of the command's stack: all commands but `up` can run while `up` runs."""
    directory: Path = arguments.directory
    return directory if arguments.command == "up" else directory / arguments.command


def _print_address(address: Address, console: Console, directory: Path) -> None:
    if is_built(PAGE):
        console.print(f"\nOpen [bold]{address.api_url}[/bold] in a browser.")
    else:
        console.print(f"\nThe page has not been built: run `{BUILD_COMMAND}`, then start again.")
    console.print(f"The API is running at [bold]{address.api_url}/v1[/bold] until Ctrl-C.")
    console.print(
        "Jobs and images are kept until then; after a restart there are none, and the API key is a new one.",
        soft_wrap=True,
    )
    body = '{"prompt": "a red circle", "count": 2}'
    console.print("Submit a job with:\n")
    console.print(
        f"curl -sS {address.api_url}/v1/jobs -H 'x-api-key: {address.api_key}' -d '{body}'",
        soft_wrap=True,
        markup=False,
    )
    console.print(f"\nURLs and API key for scripts: {directory / 'endpoint.json'}", soft_wrap=True)


def _run_until_interrupted(stack: LocalStack) -> None:
    while True:
        time.sleep(_CHECK_INTERVAL_S)
        stack.check()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _set_signal_handler(signal.SIG_IGN)  # a second Ctrl-C must not interrupt the cleanup
    raise KeyboardInterrupt


def _set_signal_handler(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument(
        "--directory", type=Path, default=ROOT / ".local", help="for templates, models, logs, endpoint.json"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("demo", help="generate six images through the whole system, then stop")
    run.add_argument("--prompt", default=demo.DEFAULT_PROMPT)
    run.add_argument("--output", type=Path, default=ROOT / "out")
    run.set_defaults(port=0)
    show = commands.add_parser(
        "showcase",
        help="render a contact sheet of every feature, with a running API or a temporary local stack",
    )
    show.add_argument("--api-url", default=os.environ.get("STABLE_DIFFUSION_API_URL"))
    show.add_argument("--api-key", default=os.environ.get("STABLE_DIFFUSION_API_KEY"))
    show.add_argument("--output", type=Path, default=ROOT / "out" / "showcase.png")
    show.set_defaults(port=0)
    shots = commands.add_parser("screenshots", help="take screenshots of the page with a temporary stack")
    shots.add_argument("--output", type=Path, default=ROOT / "docs")
    shots.set_defaults(port=0)
    up = commands.add_parser("up", help="run the local stack until Ctrl-C")
    up.add_argument("--port", type=int, default=8080)
    return parser


if __name__ == "__main__":
    sys.exit(main())
