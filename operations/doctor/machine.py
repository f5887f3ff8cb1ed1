"""This machine: the versions of what deploys, and Docker where it builds the image."""

import re
import sys
from dataclasses import dataclass

from operations.doctor.check import Finding, failed, passed
from operations.doctor.commands import CommandError, output_of
from operations.versions import CDK_CLI, NODE, PYTHON

_FETCH_TIMEOUT_S = 180
"""For npx, which fetches the CLI the first time."""

_PLATFORM = "linux/amd64"


@dataclass(frozen=True)
class PythonVersion:
    """The interpreter is not too old."""

    version: tuple[int, ...] = sys.version_info[:3]
    name: str = "Python"

    def run(self) -> Finding:
        """See `Check.run`."""
        found = ".".join(map(str, self.version))
        if self.version < PYTHON:
            wanted = ".".join(map(str, PYTHON))
            return failed(
                f"{found} is older than {wanted}",
                f"install a newer one, remove .venv and run make PYTHON=python{wanted} setup",
            )
        return passed(found)


@dataclass(frozen=True)
class NodeVersion:
    """Node, which the CDK runs on, is there and not too old."""

    name: str = "Node"

    def run(self) -> Finding:
        """See `Check.run`."""
        remedy = f"install Node {NODE} or newer from https://nodejs.org"
        try:
            found = output_of("node", "--version")
        except CommandError as error:
            return failed(str(error), remedy)
        match = re.match(r"v(\d+)\.", found)
        if match is None or int(match[1]) < NODE:
            return failed(f"{found} is older than {NODE}", remedy)
        return passed(found)


@dataclass(frozen=True)
class CdkCli:
    """The CDK's command line can be run in the pinned version."""

    name: str = "CDK CLI"

    def run(self) -> Finding:
        """See `Check.run`."""
        package = f"aws-cdk@{CDK_CLI}"
        try:
            found = output_of("npx", "--yes", package, "--version", timeout_s=_FETCH_TIMEOUT_S)
        except CommandError as error:
            return failed(
                f"npx {package} does not run: {error}",
                f"let npm reach its registry, then try npx {package} --version by hand",
            )
        if found.split(maxsplit=1)[:1] != [CDK_CLI]:
            return failed(
                f"npx {package} says that it is {found}",
                "clear npx's cache: remove the folder _npx below what npm config get cache prints",
            )
        return passed(f"{CDK_CLI}, as operations/versions.py pins it")


@dataclass(frozen=True)
class Docker:
    """Docker runs, and builds for SageMaker's processors."""

    name: str = "Docker"

    def run(self) -> Finding:
        """See `Check.run`."""
        try:
            server = output_of("docker", "version", "--format", "{{.Server.Version}}")
        except CommandError as error:
            return failed(
                str(error),
                'start Docker, or let AWS build: "image": {"source": "codebuild"} in cdk.json',
            )
        try:
            builder = output_of("docker", "buildx", "inspect", "--bootstrap", timeout_s=_FETCH_TIMEOUT_S)
        except CommandError as error:
            return failed(f"{server} is there without a builder: {error}", "install Docker's buildx plugin")
        if _PLATFORM not in _platforms(builder):
            return failed(
                f"{server} does not build for {_PLATFORM}",
                "let Docker emulate it: docker run --privileged --rm tonistiigi/binfmt --install amd64",
            )
        return passed(f"{server}, builds for {_PLATFORM}")


def _platforms(builder: str) -> set[str]:
    """The platforms of every node, out of what `docker buildx inspect` prints."""
    lines = re.findall(r"^Platforms:(.*)$", builder, re.MULTILINE)
    entries = [entry.split() for line in lines for entry in line.split(",")]  # some have a (+3) behind them
    return {entry[0].strip("*") for entry in entries if entry}
