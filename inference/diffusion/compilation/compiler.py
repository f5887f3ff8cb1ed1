"""`python -m inference.diffusion.compilation.compiler DIRECTORY`: the compiler's process.

Reads a specification and limits from the directory, and writes the package there. It ends, with the processes
that it has started, when its standard input is closed: that of its parent ends with the parent.
"""

import ctypes.util
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

SPECIFICATION = "specification.json"
LIMITS = "limits.json"
PACKAGE = "package.pt2"

_OOM_SCORE = Path("/proc/self/oom_score_adj")
_FILE_BYTES = 1 << 30
_DRIVER = "libcuda.so"


def main() -> int:
    """Compiles with one thread."""
    directory = Path(sys.argv[1])
    Thread(target=_end_with_parent, daemon=True).start()
    _restrict(**json.loads((directory / LIMITS).read_text()))
    _find_cuda(directory)
    from inference.diffusion.compilation.exporting import compile_package  # torch reads the environment
    from inference.diffusion.compilation.specification import Specification

    specification = Specification.from_json((directory / SPECIFICATION).read_text())
    compile_package(specification, directory / PACKAGE)
    return 0


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(0, signal.SIGKILL)


def _restrict(*, seconds: int, memory_bytes: int, niceness: int) -> None:
    os.nice(niceness)
    with suppress(OSError):
        _OOM_SCORE.write_text("1000")  # if memory is short, this process is killed rather than its parent
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    # Not the address space, of which CUDA reserves many times the memory that it uses.
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))


def _find_cuda(directory: Path) -> None:
    """Lets the C++ compiler find CUDA's headers, which are in packages of pip, and the driver's library.

    The driver's library has no name without a version where NVIDIA's container runtime puts it.
    """
    packages = sorted(Path(each) / "nvidia" for each in sys.path if (Path(each) / "nvidia").is_dir())
    homes = [home for each in packages for home in sorted(each.glob("cu[0-9]*"))]
    if homes:
        os.environ.setdefault("CUDA_HOME", str(homes[-1]))
    driver = _library_path("cuda")
    if driver is not None:
        (directory / _DRIVER).symlink_to(driver)
        paths = [str(directory), *filter(None, [os.environ.get("LIBRARY_PATH")])]
        os.environ["LIBRARY_PATH"] = os.pathsep.join(paths)


def _library_path(name: str) -> str | None:
    """The path of a shared library that can be loaded; None if there is none."""
    file = ctypes.util.find_library(name)
    if file is None:
        return None
    ctypes.CDLL(file)
    loaded = [line.split(maxsplit=5)[-1] for line in Path("/proc/self/maps").read_text().splitlines()]
    return next(
        (path.strip() for path in loaded if Path(path.strip()).name.startswith(f"lib{name}.so")), None
    )


if __name__ == "__main__":
    sys.exit(main())
