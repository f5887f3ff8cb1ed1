"""Imports point one way; each side is loaded in a process of its own and looked at."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

HEAVY = {"torch", "diffusers", "transformers", "peft", "spandrel", "cv2", "onnxruntime"}
EVERY_MODULE_OF = (
    "import importlib, pkgutil, {0}; "
    "[importlib.import_module(each.name) for each in pkgutil.walk_packages({0}.__path__, '{0}.')]"
)


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
            EVERY_MODULE_OF.format("contract"),
            ["."],
            HEAVY | {"boto3", "jobs", "infra", "aws_cdk", "starlette", "PIL", "inference.engine.interface"},
        ),
        (
            "import jobs.http_handler, jobs.completion_handler",
            [".", "lambda"],
            HEAVY | {"infra", "aws_cdk", "starlette"},
        ),
        ("import infra.stacks", ["."], HEAVY | {"jobs", "boto3", "starlette", "inference.server.app"}),
        (
            "import inference.__main__, inference.wiring, inference.output.postprocessing",
            ["."],
            HEAVY | {"jobs", "infra", "aws_cdk", "local"},
        ),
        (
            EVERY_MODULE_OF.format("inference.input"),
            ["."],
            HEAVY | {"jobs", "infra", "starlette", "inference.diffusion", "inference.models"},
        ),
        (
            "import inference.script_mode.functions, inference.script_mode.package",
            ["."],
            HEAVY | {"jobs", "infra", "aws_cdk", "local", "starlette", "uvicorn"},
        ),
        (
            "import inference.models.conversion.__main__, inference.models.family, inference.models.formats",
            ["."],
            HEAVY | {"jobs"},
        ),
        ("import inference.diffusion.loader", ["."], {"jobs", "infra", "aws_cdk", "inference.server.app"}),
    ],
    ids=["contract", "jobs", "infra", "server", "input", "script mode", "models", "engine"],
)
def test_a_side_loads_nothing_of_the_others(statement: str, paths: list[str], forbidden: set[str]) -> None:
    assert modules_after(statement, *paths) & forbidden == set()
