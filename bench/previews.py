"""`python -m bench.previews`: the cost of live previews, in pairs of a job without and a job with them."""

import argparse
import statistics
import sys
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration
from contract.request import JobRequest
from inference.diffusion.loader import load_engine
from inference.engine.interface import Callbacks, Engine, Inputs
from inference.invocation.previews import PreviewPublisher
from inference.output.postprocessing import Postprocessor

_DEMO_MODEL = Path(__file__).parents[1] / "inference" / "demo_model"


class _PreviewCounter:
    """Counts the previews of all jobs, in place of the data bucket."""

    def __init__(self) -> None:
        self.stored = 0

    def store_preview(self, _job_id: str, _data: bytes) -> bool:
        self.stored += 1
        return True


def main() -> int:
    """Measures, and prints a Markdown table."""
    arguments = _parser().parse_args()
    engine = load_engine(arguments.model, max_batch_size=8)
    previews = _PreviewCounter()
    print("| steps | pairs | job without, s | previews a job | cost, median | 10 % | 90 % |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with ThreadPoolExecutor() as executor:
        for steps, pairs in zip(arguments.steps, arguments.pairs, strict=True):
            generation = _generation(steps, arguments.size)
            for callbacks in (Callbacks(), _callbacks(generation, previews, executor)):
                _seconds(engine, generation, callbacks)  # warm-up, and the fit of the VAE
            previews.stored = 0
            without, costs = [], []
            for number in tqdm(range(pairs), desc=f"{steps} steps", file=sys.stderr):
                measured = {}
                for shown in (False, True) if number % 2 else (True, False):
                    callbacks = _callbacks(generation, previews, executor) if shown else Callbacks()
                    measured[shown] = _seconds(engine, generation, callbacks)
                without.append(measured[False])
                costs.append(measured[True] / measured[False] - 1)
            deciles = statistics.quantiles(costs, n=10)
            figures = (statistics.median(costs), deciles[0], deciles[-1])
            print(
                f"| {steps} | {pairs} | {statistics.median(without):.2f} | {previews.stored / pairs:.1f} | "
                + " | ".join(f"{figure:+.1%}" for figure in figures)
                + " |"
            )
    engine.close()
    return 0


def _callbacks(generation: Generation, bucket: _PreviewCounter, executor: Executor) -> Callbacks:
    publisher = PreviewPublisher(
        bucket,
        generation.id,
        executor,
        encode=Postprocessor().preview,
        on_stored=lambda _step: None,
    )
    return Callbacks(previews=publisher)


def _seconds(engine: Engine, generation: Generation, callbacks: Callbacks) -> float:
    started_at = time.perf_counter()
    engine.submit(generation, Inputs(), callbacks).result()
    return time.perf_counter() - started_at


def _generation(steps: int, size: int) -> Generation:
    request = JobRequest(
        prompt="a red circle on a white background", seed=1, width=size, height=size, steps=steps
    )
    return Generation.resolve(request, ModelDeclaration(name="bench"), job_id=new_job_id(), seed=0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.previews", description=__doc__)
    parser.add_argument("--model", type=Path, default=_DEMO_MODEL, help="a diffusers directory")
    parser.add_argument("--size", type=int, default=128, help="width and height in pixels")
    parser.add_argument("--steps", type=int, nargs="+", default=[20, 150], help="steps of the jobs")
    parser.add_argument("--pairs", type=int, nargs="+", default=[100, 15], help="pairs of each kind of job")
    return parser


if __name__ == "__main__":
    sys.exit(main())
