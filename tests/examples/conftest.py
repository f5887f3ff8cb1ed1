"""One local stack for every example, and the environment variables that the examples use."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from local.stack import LocalStack
from tests.conftest import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="package")
def endpoint_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stack's endpoint.json."""
    return tmp_path_factory.mktemp("local") / "endpoint.json"


@pytest.fixture(scope="package")
def stack(endpoint_file: Path) -> Iterator[LocalStack]:
    stack = LocalStack.start(port=0, directory=endpoint_file.parent, report=print)
    yield stack
    stack.stop()


@pytest.fixture(scope="package")
def endpoint(stack: LocalStack) -> list[str]:
    """The arguments --endpoint and --bucket."""
    stacks = stack.aws.client("cloudformation").describe_stacks()["Stacks"]
    outputs = [output for each in stacks for output in each.get("Outputs", [])]
    (name,) = [output["OutputValue"] for output in outputs if output["OutputKey"] == "EndpointName"]
    return ["--endpoint", name, "--bucket", stack.address.data_bucket]


@pytest.fixture(scope="session")
def sdk_python() -> str:
    """The Python interpreter with the SageMaker SDK."""
    path = ROOT / ".venv-sagemaker" / "bin" / "python"
    assert path.exists(), "there is no .venv-sagemaker; `make test` creates it"
    return str(path)


@pytest.fixture(scope="package")
def environment(stack: LocalStack) -> dict[str, str]:
    return stack.aws.environment() | {
        "STABLE_DIFFUSION_API_URL": stack.address.api_url,
        "STABLE_DIFFUSION_API_KEY": stack.address.api_key,
    }


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """Runs an example in the test's temporary directory; its images are saved in `out` there."""

    def run(
        name: str, *arguments: str, python: str = sys.executable, stdin: str = "", **changes: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, str(ROOT / "examples" / name), *arguments],
            cwd=tmp_path,
            env=environment | changes,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def sizes(directory: Path) -> list[tuple[int, int]]:
    """(width, height) of every PNG file in a directory, in the order of the names."""
    found = []
    for path in sorted(directory.glob("*.png")):
        with Image.open(path) as image:
            found.append(image.size)
    return found
