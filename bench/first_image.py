"""`python -m bench.first_image BACKEND MODEL`: generates one image in a new process (cold start).

Reads the generation from standard input. When the image is done, prints the peak memory in MiB: the GPU's if
there is one, else the process's resident set size.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

from contract.generation import Generation


class ColdStart(NamedTuple):
    """The cost of a first image.

    Attributes:
        seconds: from the start of the process until its image is done.
        peak_mib: peak memory, of the GPU if there is one, else of the process.
    """

    seconds: float
    peak_mib: float


def measure_cold_start(backend: str, model: Path, generation: Generation) -> ColdStart:
    """Starts a process that generates one image, and waits for its end."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.first_image", backend, str(model)]
    with TemporaryFile() as request:
        request.write(generation.model_dump_json().encode())
        request.seek(0)
        started_at = time.perf_counter()
        with subprocess.Popen(command, stdin=request, stdout=subprocess.PIPE) as process:  # noqa: S603 - this module, with the command line's own arguments
            printed = b"" if process.stdout is None else process.stdout.readline()
            seconds = time.perf_counter() - started_at
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return ColdStart(seconds, float(printed))


def main() -> None:
    """Generates the image, and prints the peak memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("backend")
    parser.add_argument("model", type=Path)
    arguments = parser.parse_args()
    generation = Generation.model_validate_json(sys.stdin.read())
    from bench.backends import backends

    backend = backends(arguments.model, max_batch_size=8)[arguments.backend]()
    backend.generate(generation)
    import torch  # is loaded by now

    if torch.cuda.is_available():
        peak_mib = torch.cuda.max_memory_allocated() / 2**20
    else:
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(peak_mib, flush=True)
    backend.close()


if __name__ == "__main__":
    main()
