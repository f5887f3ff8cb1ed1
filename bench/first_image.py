"""`python -m bench.first_image BACKEND MODEL`: generates one image in a new process (cold start).

Reads the generation from standard input, and prints the peak memory in MiB: the GPU's if there is one, else
the process's resident set size.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from contract.generation import Generation


class ColdStart(NamedTuple):
    """The cost of a first image.

    Attributes:
        seconds: from the start of the process to its end.
        peak_mib: peak memory, of the GPU if there is one, else of the process.
    """

    seconds: float
    peak_mib: float


def measure_cold_start(backend: str, model: Path, generation: Generation) -> ColdStart:
    """Starts a process that generates one image, and waits for its end."""
    started_at = time.perf_counter()
    process = subprocess.run(  # noqa: S603 - this module, with the command line's own arguments
        [sys.executable, "-W", "ignore", "-m", "bench.first_image", backend, model],
        input=generation.model_dump_json(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return ColdStart(time.perf_counter() - started_at, float(process.stdout.split()[-1]))


def main() -> None:
    """Generates the image, and prints the peak memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("backend")
    parser.add_argument("model", type=Path)
    arguments = parser.parse_args()
    generation = Generation.model_validate_json(sys.stdin.read())
    import torch

    from bench.backends import backends

    backend = backends(arguments.model, max_batch_size=8)[arguments.backend]()
    backend.generate(generation)
    backend.close()
    if torch.cuda.is_available():
        print(torch.cuda.max_memory_allocated() / 2**20)
    else:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)


if __name__ == "__main__":
    main()
