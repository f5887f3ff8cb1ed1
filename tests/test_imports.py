"""Imports between the packages point one way, and light packages load no heavy libraries."""

import ast
import os
import subprocess
import sys
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT

ALLOWED = {
    "app": {"infra"},
    "bench": {
        "contract",
        "guarded_http",
        "inference.__main__",
        "inference.artifacts",
        "inference.data_bucket",
        "inference.diffusion",
        "inference.diffusion.adapters",
        "inference.diffusion.compilation",
        "inference.diffusion.denoising",
        "inference.diffusion.modules",
        "inference.diffusion.tasks",
        "inference.diffusion.upscaling",
        "inference.engine",
        "inference.input",
        "inference.invocation",
        "inference.models",
        "inference.observability",
        "inference.output",
        "inference.server",
        "inference.wiring",
        "local",
        "training",
    },
    "contract": set(),
    "examples": set(),
    "guarded_http": set(),
    "inference.__main__": {
        "contract",
        "inference.data_bucket",
        "inference.input",
        "inference.invocation",
        "inference.observability",
        "inference.server",
        "inference.wiring",
    },
    "inference.artifacts": {"contract", "inference.engine", "inference.models", "inference.transfer"},
    "inference.data_bucket": {"contract", "inference.engine"},
    "inference.diffusion": {
        "contract",
        "inference.diffusion.compilation",
        "inference.diffusion.denoising",
        "inference.diffusion.modules",
        "inference.diffusion.tasks",
        "inference.diffusion.upscaling",
        "inference.engine",
        "inference.models",
    },
    "inference.diffusion.adapters": {
        "contract",
        "inference.diffusion.modules",
        "inference.engine",
        "inference.models",
    },
    "inference.diffusion.compilation": {"inference.diffusion.modules", "inference.engine"},
    "inference.diffusion.denoising": {
        "contract",
        "inference.diffusion.adapters",
        "inference.diffusion.modules",
        "inference.diffusion.prompts",
        "inference.diffusion.solvers",
        "inference.diffusion.tasks",
        "inference.engine",
    },
    "inference.diffusion.modules": {"contract", "inference.diffusion.solvers", "inference.engine"},
    "inference.diffusion.prompts": {
        "contract",
        "inference.diffusion.adapters",
        "inference.diffusion.modules",
        "inference.engine",
    },
    "inference.diffusion.solvers": set(),
    "inference.diffusion.tasks": {"contract", "inference.engine"},
    "inference.diffusion.upscaling": {
        "contract",
        "inference.diffusion.adapters",
        "inference.diffusion.tasks",
        "inference.engine",
        "inference.isolation",
        "inference.models",
    },
    "inference.engine": {"contract"},
    "inference.entrypoint": {"contract", "inference.observability"},
    "inference.input": {
        "contract",
        "guarded_http",
        "inference.data_bucket",
        "inference.engine",
        "inference.isolation",
    },
    "inference.invocation": {
        "contract",
        "inference.artifacts",
        "inference.data_bucket",
        "inference.engine",
        "inference.input",
        "inference.observability",
        "inference.output",
    },
    "inference.isolation": set(),
    "inference.models": {"contract", "inference.observability", "inference.transfer"},
    "inference.observability": {"contract"},
    "inference.output": {"contract", "inference.observability"},
    "inference.script_mode": {
        "contract",
        "inference.data_bucket",
        "inference.invocation",
        "inference.models",
        "inference.observability",
        "inference.wiring",
    },
    "inference.server": {"contract", "inference.invocation"},
    "inference.transfer": {"contract", "inference.observability"},
    "inference.wiring": {
        "contract",
        "inference.artifacts",
        "inference.data_bucket",
        "inference.diffusion",
        "inference.engine",
        "inference.input",
        "inference.invocation",
        "inference.observability",
        "inference.output",
        "inference.transfer",
    },
    "infra": {"contract"},
    "jobs": {"contract", "guarded_http"},
    "local": {"contract", "training"},
    "operations": {
        "contract",
        "inference.diffusion.adapters",
        "inference.diffusion.prompts",
        "inference.diffusion.upscaling",
        "inference.engine",
        "inference.input",
        "inference.models",
        "infra",
        "jobs",
    },
    "training": {"contract", "inference.input", "inference.models"},
}
"""The packages that each package imports, with inference/ split by room. A new import is added here first."""

TOP_LEVEL = {name.partition(".")[0] for name in ALLOWED}
SOURCES = ("app.py", *(f"{name}/**/*.py" for name in (TOP_LEVEL - {"app", "jobs"}) | {"lambda"}))

HEAVY = {"torch", "diffusers", "transformers", "peft", "spandrel", "cv2", "onnxruntime"}
EVERY_MODULE_OF = (
    "import importlib, pkgutil, {0}; "
    "[importlib.import_module(each.name) for each in pkgutil.walk_packages({0}.__path__, '{0}.')]"
)


def room_of(module: str) -> str:
    """The key of `ALLOWED` that a dotted module belongs to."""
    parts = module.split(".")
    return next(
        (
            ".".join(parts[:length])
            for length in range(len(parts), 0, -1)
            if ".".join(parts[:length]) in ALLOWED
        ),
        parts[0],
    )


def imports_between_rooms() -> dict[str, set[str]]:
    arrows: dict[str, set[str]] = defaultdict(set)
    for path in (path for pattern in SOURCES for path in ROOT.glob(pattern)):
        name = path.relative_to(ROOT).with_suffix("").as_posix().removeprefix("lambda/").replace("/", ".")
        room = room_of(name.removesuffix(".__init__"))
        for imported in imported_modules(path):
            if imported.partition(".")[0] in TOP_LEVEL and room_of(imported) != room:
                arrows[room].add(room_of(imported))
    return dict(arrows)


def imported_modules(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            modules |= {f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Import):
            modules |= {each.name for each in node.names}
    return modules


def test_packages_import_exactly_what_is_allowed() -> None:
    arrows = imports_between_rooms()
    assert {room: arrows.get(room, set()) for room in ALLOWED} == ALLOWED
    assert arrows.keys() <= ALLOWED.keys()


def test_no_packages_import_each_other_in_a_circle() -> None:
    order = list(TopologicalSorter(ALLOWED).static_order())
    assert order.index("contract") < order.index("inference.engine") < order.index("inference.wiring")


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
            HEAVY | {"boto3", "jobs", "infra", "inference", "aws_cdk", "starlette", "PIL"},
        ),
        (
            "import jobs.http.routes, jobs.wiring, jobs.completion_handler, jobs.reconciler_handler",
            [".", "lambda"],
            HEAVY | {"inference", "infra", "aws_cdk", "starlette", "boto3", "guarded_http", "httpcore2"},
        ),
        (
            "import jobs.webhook_handler",
            [".", "lambda"],
            HEAVY | {"inference", "infra", "aws_cdk", "starlette", "boto3", "httpx2"},
        ),
        ("import infra.stacks", ["."], HEAVY | {"jobs", "boto3", "starlette", "inference"}),
        (
            "import inference.__main__, inference.wiring, inference.output.postprocessing",
            ["."],
            HEAVY | {"jobs", "infra", "aws_cdk", "local"},
        ),
        (EVERY_MODULE_OF.format("inference.engine"), ["."], HEAVY | {"boto3", "starlette"}),
        (EVERY_MODULE_OF.format("inference.input"), ["."], HEAVY | {"starlette"}),
        (
            "import inference.script_mode.functions, inference.script_mode.package",
            ["."],
            HEAVY | {"jobs", "infra", "aws_cdk", "local", "starlette", "uvicorn"},
        ),
        (
            "import inference.models.conversion.__main__, inference.models.family, inference.models.formats",
            ["."],
            HEAVY,
        ),
    ],
    ids=["contract", "jobs", "webhooks", "infra", "server", "engine", "input", "script mode", "models"],
)
def test_a_package_loads_no_heavy_library(statement: str, paths: list[str], forbidden: set[str]) -> None:
    assert modules_after(statement, *paths) & forbidden == set()
