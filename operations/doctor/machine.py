"""Checks of this machine: Python, Node, the CDK's CLI, and Docker for local image builds."""

import re
import sys
from dataclasses import dataclass

from operations.doctor.check import CheckResult, failed, passed
from operations.doctor.commands import CommandError, output_of
from operations.versions import CDK_CLI, NODE, PYTHON

_DOWNLOAD_TIMEOUT_S = 180
"""The timeout of commands that may download something first."""

_PLATFORM = "linux/amd64"


@dataclass(frozen=True)
class PythonVersion:
    """The Python interpreter is recent enough."""

    version: tuple[int, ...] = sys.version_info[:3]
    name: str = "Python"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        found = ".".join(map(str, self.version))
        if self.version < PYTHON:
            wanted = ".".join(map(str, PYTHON))
            return failed(
                f"{found} is older than {wanted}",
                f"install a newer version, remove .venv and run make PYTHON=python{wanted} setup",
            )
        return passed(found)


@dataclass(frozen=True)
class NodeVersion:
    """Node, which the CDK needs, is installed and recent enough."""

    name: str = "Node"

    def run(self) -> CheckResult:
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
    """The pinned version of the CDK's CLI runs."""

    name: str = "CDK CLI"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        package = f"aws-cdk@{CDK_CLI}"
        try:
            found = output_of("npx", "--yes", package, "--version", timeout_s=_DOWNLOAD_TIMEOUT_S)
        except CommandError as error:
            return failed(
                f"npx {package} does not run: {error}",
                f"make sure that npm can reach its registry, then run npx {package} --version",
            )
        if found.split(maxsplit=1)[:1] != [CDK_CLI]:
            return failed(
                f"npx {package} reports version {found}",
                "clear npx's cache: remove _npx from the directory that npm config get cache prints",
            )
        return passed(f"{CDK_CLI}, as pinned in operations/versions.py")


@dataclass(frozen=True)
class Docker:
    """Docker is running and can build for the platform of SageMaker's GPU instances."""

    name: str = "Docker"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        try:
            server = output_of("docker", "version", "--format", "{{.Server.Version}}")
        except CommandError as error:
            return failed(
                str(error),
                'start Docker, or build in AWS: "image": {"source": "codebuild"} in cdk.json',
            )
        try:
            builder = output_of("docker", "buildx", "inspect", "--bootstrap", timeout_s=_DOWNLOAD_TIMEOUT_S)
        except CommandError as error:
            return failed(f"{server} has no working builder: {error}", "install Docker's buildx plugin")
        if _PLATFORM not in _platforms(builder):
            return failed(
                f"{server} cannot build for {_PLATFORM}",
                "install the emulation: docker run --privileged --rm tonistiigi/binfmt --install amd64",
            )
        return passed(f"{server}, builds for {_PLATFORM}")


def _platforms(builder: str) -> set[str]:
    """The platforms of all nodes in the output of `docker buildx inspect`."""
    lines = re.findall(r"^Platforms:(.*)$", builder, re.MULTILINE)
    entries = [entry.split() for line in lines for entry in line.split(",")]  # some end with "(+3)"
    return {entry[0].strip("*") for entry in entries if entry}
