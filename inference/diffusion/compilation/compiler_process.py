"""A process that compiles a UNet, with limits on its time, memory and priority."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from inference.diffusion.compilation import compiler
from inference.diffusion.compilation.specification import Specification

_ROOT = Path(__file__).parents[3]
_OUTPUT = "output.txt"
_CLOSED = "the engine is closed"
_ONE_AT_A_TIME = Lock()
"""In this process, whatever the number of models."""


class CompilationError(Exception):
    """The UNet could not be compiled for a specification."""


class CompilerUnavailableError(CompilationError):
    """Nothing can be compiled on this machine, or any more."""


@dataclass(frozen=True)
class CompilerLimits:
    """The limits of a compilation.

    Attributes:
        seconds: from its start to its end, and of CPU time.
        memory_bytes: of each of its processes.
        niceness: of its processes.
    """

    seconds: int = 3600
    memory_bytes: int = 8 << 30
    niceness: int = 19


class CompilerProcess:
    """Compiles UNets, one after the other, each in a new process with one thread.

    The process has a group of its own, which is killed as a whole, but no session of its own: Linux can give
    each session the same share of the processors, however nice its processes are (autogroup).
    """

    def __init__(
        self, limits: CompilerLimits | None = None, *, command: tuple[str, ...] | None = None
    ) -> None:
        """Compiles nothing yet.

        Args:
            limits: of each compilation.
            command: starts the compiler; None: `inference.diffusion.compilation.compiler`.
        """
        self._limits = limits or CompilerLimits()
        self._command = command or (sys.executable, "-m", compiler.__name__)
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def compile(self, specification: Specification) -> bytes:
        """The package; blocks for minutes.

        Raises:
            CompilationError: the compiler has failed or exceeded its limits.
            CompilerUnavailableError: there is no C++ compiler, or the object is closed.
        """
        cxx = os.environ.get("CXX", "g++")
        if shutil.which(cxx) is None:
            raise CompilerUnavailableError(f"there is no C++ compiler ({cxx}); install one in the image")
        with _ONE_AT_A_TIME, tempfile.TemporaryDirectory(prefix="compilation-") as name:
            directory = Path(name)
            (directory / compiler.SPECIFICATION).write_text(specification.to_json())
            (directory / compiler.LIMITS).write_text(json.dumps(asdict(self._limits)))
            with (directory / _OUTPUT).open("wb") as output:
                self._run(directory, output)
            package = directory / compiler.PACKAGE
            if not package.exists():
                raise CompilationError(_last_line(directory / _OUTPUT))
            return package.read_bytes()

    def close(self) -> None:
        """Ends a running compilation, and allows no other. Any thread may call this at any time."""
        with self._lock:
            self._closed = True
            _kill(self._process)

    def _run(self, directory: Path, output: Any) -> None:
        with self._lock:
            if self._closed:
                raise CompilerUnavailableError(_CLOSED)
            process = self._process = subprocess.Popen(  # noqa: S603 (this package's own module)
                [*self._command, str(directory)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=_environment(directory),
                process_group=0,
            )
        try:
            code = process.wait(self._limits.seconds)
        except subprocess.TimeoutExpired:
            raise CompilationError(f"it took longer than {self._limits.seconds} s") from None
        finally:
            with self._lock:
                _kill(process)
                self._process = None
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
        if self._closed:
            raise CompilerUnavailableError(_CLOSED)
        if code != 0:
            raise CompilationError(_reason(code, directory / _OUTPUT))


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _environment(directory: Path) -> dict[str, str]:
    """This process's environment without credentials, with one thread and all files in the directory."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    caches = {name: str(directory / name.lower()) for name in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")}
    return {
        **inherited,
        **caches,
        "PYTHONPATH": os.pathsep.join(paths),
        "TMPDIR": str(directory),
        "OMP_NUM_THREADS": "1",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }


def _reason(code: int, output: Path) -> str:
    if code < 0:
        return f"the compiler was ended by {signal.Signals(-code).name}, probably at a limit"
    return _last_line(output)


def _last_line(output: Path) -> str:
    lines = output.read_text(errors="replace").strip().splitlines()
    return lines[-1][:500] if lines else "the compiler wrote no package"


Compile = Callable[[Specification], bytes]
"""Compiles a package; see `CompilerProcess.compile`."""
