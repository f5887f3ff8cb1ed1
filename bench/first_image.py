"""`python -m bench.first_image ARM MODEL`: one image from a standing start, in a process of its own.

Prints the process's peak memory in MiB: the device's where there is a GPU, else its resident set.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from contract.generation import Generation


class Start(NamedTuple):
    """What a standing start takes.

    Attributes:
        seconds: from the start of the process until its image is there.
        peak_mib: the most memory, of the device if there is a GPU, else of the process.
    """

    seconds: float
    peak_mib: float


def measure(arm: str, model: Path, generation: Generation) -> Start:
    """Starts a process that draws the generation and waits for its image."""
    begun = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - its own program, and the arguments of the command line
        [sys.executable, "-W", "ignore", "-m", "bench.first_image", arm, model],
        input=generation.model_dump_json(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Start(time.perf_counter() - begun, float(done.stdout.split()[-1]))


def main() -> None:
    """Draws the generation on standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("arm")
    parser.add_argument("model", type=Path)
    arguments = parser.parse_args()
    generation = Generation.model_validate_json(sys.stdin.read())
    import torch

    from bench.backends import arms

    arm = arms(arguments.model, max_batch_size=8)[arguments.arm]()
    arm.draw(generation)
    arm.close()
    if torch.cuda.is_available():
        print(torch.cuda.max_memory_allocated() / 2**20)
    else:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)


if __name__ == "__main__":
    main()
