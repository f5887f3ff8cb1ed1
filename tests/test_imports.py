"""Imports point one way; each side is loaded in a process of its own and looked at."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

HEAVY = {"torch", "diffusers", "transformers"}


def modules_after(statement: str, *paths: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(str(ROOT / path) for path in paths)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    return {name for module in done.stdout.split() for name in (module, module.partition(".")[0])}


@pytest.mark.parametrize(
    ("statement", "paths", "forbidden"),
    [
        (
            "from inference.contract import environment, generation, manifest, progress, result, validation",
            ["."],
            HEAVY | {"boto3", "jobs", "infra", "aws_cdk", "starlette", "PIL", "inference.engine"},
        ),
        (
            "import jobs.http_handler, jobs.completion_handler",
            [".", "lambda"],
            HEAVY | {"infra", "aws_cdk", "starlette"},
        ),
        ("import infra.stacks", ["."], HEAVY | {"jobs", "boto3", "starlette", "inference.server"}),
        ("import inference.__main__", ["."], HEAVY | {"jobs", "infra", "aws_cdk", "local"}),
        (
            "import inference.script_mode, inference.package",
            ["."],
            HEAVY | {"jobs", "infra", "aws_cdk", "local", "starlette", "uvicorn"},
        ),
        (
            "import inference.convert, inference.models.family, inference.models.opening",
            ["."],
            HEAVY | {"jobs"},
        ),
        ("import inference.denoising.loading", ["."], {"jobs", "infra", "aws_cdk", "inference.server"}),
    ],
    ids=["contract", "jobs", "infra", "server", "script mode", "models", "engine"],
)
def test_a_side_loads_nothing_of_the_others(statement: str, paths: list[str], forbidden: set[str]) -> None:
    assert modules_after(statement, *paths) & forbidden == set()
