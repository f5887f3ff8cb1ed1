"""`python -m bench.gpu`: measures the engine on a GPU in under eight minutes.

Prints the tables, and writes them to docs/performance.md.
"""

import argparse
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import diffusers
import torch

from bench.gpu import forward_passes, throughput
from bench.gpu.document import replace_tables
from bench.gpu.sections import Section, run_sections
from bench.gpu.throughput import Setting
from bench.machine import describe_machine
from bench.roofline import roofline_s
from bench.steps.__main__ import GPU_COLUMNS, gpu_rows
from bench.weights import random_model, random_pipeline
from inference.models.loading import load_pipeline

_ROOT = Path(__file__).parents[2]
_LIMIT_S = 450
_COUNTED_SAMPLERS = ("euler_a", "dpmpp_2m_karras", "dpmpp_2m_sde", "ddim", "unipc", "lms")


def main() -> int:
    """Measures, prints and writes the tables."""
    arguments = _parser().parse_args()
    if not torch.cuda.is_available():
        print(
            "bench.gpu needs a GPU, and PyTorch finds none here; nothing has been measured or written. "
            "`python -m bench` and `python -m bench.steps` measure on the CPU.",
            file=sys.stderr,
        )
        return 1
    logging.disable(logging.WARNING)
    report = run_sections(
        _sections(arguments),
        limit_s=arguments.limit_s,
        on_report=lambda tables: write(arguments.document, tables),
    )
    print(report)
    return 0


def write(document: Path, tables: str) -> None:
    """Writes the tables, with date, machine and versions, to the document."""
    libraries = f"torch {torch.__version__}, CUDA {torch.version.cuda}, diffusers {diffusers.__version__}"
    head = f"{datetime.now(UTC):%Y-%m-%d}, {describe_machine()}, {libraries}; one run of each measurement."
    document.write_text(replace_tables(document.read_text(), f"{head}\n\n{tables}"))


def _sections(arguments: argparse.Namespace) -> list[Section]:
    sd15, sdxl = _Model("sd15", 512, arguments), _Model("sdxl", 1024, arguments)
    name = f"Stable Diffusion 1.5, random weights, 512 x 512, {arguments.steps} steps, euler_a"
    name_xl = f"Stable Diffusion XL, random weights, 1024 x 1024, {arguments.steps} steps, euler_a"
    unet = "Forward passes of Stable Diffusion 1.5 at 512 x 512"
    return [
        Section(f"{unet}, eager and as CUDA graphs", forward_passes.GRAPH_COLUMNS, 60, sd15.graphs),
        Section(name + ": parts left out", throughput.COLUMNS, 60, sd15.ablation),
        Section(name, throughput.COLUMNS, 80, sd15.throughput),
        Section("Operations of a step besides the UNet", GPU_COLUMNS, 40, lambda: _counts(arguments)),
        Section(name_xl, throughput.COLUMNS, 120, sdxl.throughput),
        Section(f"{name_xl}: FP8", throughput.COLUMNS, 60, sdxl.fp8),
        Section(f"{unet}, 8 images, by kernels", forward_passes.KERNEL_COLUMNS, 25, sd15.kernels),
        Section("Decoding beside the steps", forward_passes.DECODE_COLUMNS, 10, sd15.decoding),
        Section(f"{name}: pipelines", throughput.COLUMNS, 40, sd15.pipelines),
        Section(f"{name_xl}: pipelines", throughput.COLUMNS, 60, sdxl.pipelines),
    ]


class _Model:
    """The measurements of a model with random weights, which is created at the first."""

    def __init__(self, name: str, size: int, arguments: argparse.Namespace) -> None:
        self._name = name
        self._size = size
        self._arguments = arguments
        self._created: Setting | None = None

    def graphs(self) -> Iterator[tuple[str, ...]]:
        return forward_passes.graphs(self._pipeline().unet, side=self._side)

    def kernels(self) -> Iterator[tuple[str, ...]]:
        return forward_passes.attention_and_formats(self._pipeline().unet, side=self._side)

    def decoding(self) -> Iterator[tuple[str, ...]]:
        pipeline = self._pipeline()
        return forward_passes.decoding_beside(pipeline.unet, pipeline.vae, side=self._side)

    def ablation(self) -> Iterator[tuple[str, ...]]:
        return throughput.measure_arms(self._setting, throughput.ablation_arms(self._setting))

    def throughput(self) -> Iterator[tuple[str, ...]]:
        return throughput.measure_arms(self._setting, throughput.engine_arms(self._setting))

    def fp8(self) -> Iterator[tuple[str, ...]]:
        return throughput.measure_arms(self._setting, throughput.fp8_arms(self._setting))

    def pipelines(self) -> Iterator[tuple[str, ...]]:
        return throughput.measure_arms(self._setting, throughput.pipeline_arms(self._setting))

    @property
    def _side(self) -> int:
        return self._size // 8

    @property
    def _setting(self) -> Setting:
        if self._created is None:
            model = random_model(self._name, self._arguments.directory)
            steps = self._arguments.steps
            architecture = random_pipeline(self._name, torch.device("meta"))
            roofline = roofline_s(architecture, size=self._size, steps=steps)
            self._created = Setting(model, self._size, steps, roofline)
        return self._created

    def _pipeline(self) -> Any:
        return load_pipeline(self._setting.model)


def _counts(arguments: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    return gpu_rows(arguments.demo_model, _COUNTED_SAMPLERS, images=(1, 8), size=128)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__)
    parser.add_argument("--document", type=Path, default=_ROOT / "docs" / "performance.md")
    parser.add_argument("--directory", type=Path, default=_ROOT / ".local" / "bench", help="of the models")
    parser.add_argument("--demo-model", type=Path, default=_ROOT / "inference" / "demo_model")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--limit-s", type=float, default=_LIMIT_S, help="of all measurements together")
    return parser


if __name__ == "__main__":
    sys.exit(main())
