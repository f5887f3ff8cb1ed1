"""Mixed loads: requests that differ in sampler, guidance, steps, size or LoRAs."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from bench.engine_backend import RecordingBatcher, Rows, assemble
from bench.figures import markdown
from bench.load import Measurement, median, run
from bench.pipelines import Batched, Sequential, load_default
from bench.requests import requests
from inference.models.loading import load_pipeline

if TYPE_CHECKING:
    from bench.backends import Backend

_ROUND_OF = 4
"""Requests of a round, for each client."""


def mixed_table(model: Path, arguments: argparse.Namespace) -> str:
    """Throughput of this engine and of pipelines with each mix, and how full this engine's batches are.

    The LoRAs of the mixes are the demo model's.
    """
    clients, options = arguments.mix_clients, _options(arguments)
    batcher = RecordingBatcher(max_batch_size=arguments.max_batch_size)
    loaded: dict[str, Backend] = {
        "this engine": assemble(load_pipeline(model), batcher),
        "diffusers": Sequential(lambda: load_default(model)),
        "diffusers, batched by hand": Batched(
            lambda: load_default(model), max_batch_size=arguments.max_batch_size
        ),
    }
    rows = []
    for mix in tqdm(arguments.mixes, desc="mixed loads", file=sys.stderr):
        for backend in loaded.values():
            run(backend, requests(mix, 8, **options), clients=clients)  # warm-up
        batcher.counted = Rows()
        results: dict[str, list[Measurement]] = {name: [] for name in loaded}
        for round_ in range(arguments.rounds):
            for name in list(loaded) if round_ % 2 == 0 else reversed(loaded):
                sent = requests(mix, _ROUND_OF * clients, **options)
                results[name].append(run(loaded[name], sent, clients=clients))
        counted = batcher.counted
        speeds = {
            name: median(rounds, lambda each: each.images_per_second) for name, rounds in results.items()
        }
        p95 = median(results["this engine"], lambda each: each.percentile(0.95))
        rows.append(
            (
                mix,
                *(f"{speed:.2f}" for speed in speeds.values()),
                f"{p95:.2f}",
                f"{counted.images / counted.forward_passes:.1f}",
                f"{counted.padding / counted.rows:.1%}",
            )
        )
    for backend in loaded.values():
        backend.close()
    columns = (f"mix, {clients} clients", *(f"{name}, images/s" for name in loaded))
    return markdown((*columns, "p95 s of this engine", "images a forward pass", "padding of rows"), rows)


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"size": arguments.size, "steps": arguments.steps, "sampler": arguments.sampler}
