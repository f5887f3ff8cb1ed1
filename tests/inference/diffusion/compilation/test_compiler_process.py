"""The compiler's process: its limits, its failures, and its end."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from inference.diffusion.compilation import compiler
from inference.diffusion.compilation.compiler_process import (
    CompilationError,
    CompilerLimits,
    CompilerProcess,
    CompilerUnavailableError,
)
from inference.diffusion.compilation.packages import Packages
from inference.diffusion.compilation.specification import Specification, TensorLayout
from tests.conftest import ROOT
from tests.inference.artifacts.in_memory_compile_cache import InMemoryCompileCache
from tests.inference.conftest import Log
from tests.waiting import LIMIT_S, wait_until

LAYOUT = TensorLayout((1, 4, 8, 8), (256, 64, 8, 1), "float32")
SPECIFICATION = Specification("{}", (), (("sample", LAYOUT),), "cpu", 1, (), (("device", "x"),))
READY = """
import json, os, sys, pathlib
from subprocess import Popen
directory = pathlib.Path(sys.argv[1])
grandchild = Popen(["sleep", "1000"])
state = {"ids": [os.getpid(), grandchild.pid], "environment": dict(os.environ)}
(pathlib.Path(MARKER)).write_text(json.dumps(state))
"""


def compiler_that(code: str, *, marker: Path | None = None, **limits: int) -> CompilerProcess:
    """A compiler process that runs this code; see `READY`."""
    text = code.replace("MARKER", repr(str(marker)))
    return CompilerProcess(CompilerLimits(**limits), command=(sys.executable, "-c", text))


def is_running(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_compiler_that_fails_is_an_error_with_the_last_line_of_its_output() -> None:
    failing = compiler_that("raise ValueError('no kernel for this')")
    with pytest.raises(CompilationError, match="ValueError: no kernel for this"):
        failing.compile(SPECIFICATION)


def test_a_compiler_that_writes_no_package_is_an_error() -> None:
    with pytest.raises(CompilationError, match="wrote no package"):
        compiler_that("").compile(SPECIFICATION)


def test_a_compiler_that_crashes_is_an_error() -> None:
    with pytest.raises(CompilationError, match="ended by SIGSEGV"):
        compiler_that("import os; os.kill(os.getpid(), 11)").compile(SPECIFICATION)


def test_a_compiler_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    marker = tmp_path / "state"
    slow = compiler_that(READY + "import time; time.sleep(1000)", marker=marker, seconds=2)
    with pytest.raises(CompilationError, match="longer than 2 s"):
        slow.compile(SPECIFICATION)
    wait_until(lambda: not any(map(is_running, json.loads(marker.read_text())["ids"])))


def test_closing_ends_a_running_compilation_and_allows_no_other(tmp_path: Path) -> None:
    marker, errors = tmp_path / "state", list[Exception]()
    endless = compiler_that(READY + "import time; time.sleep(1000)", marker=marker)

    def compile_() -> None:
        try:
            endless.compile(SPECIFICATION)
        except CompilationError as error:
            errors.append(error)

    thread = Thread(target=compile_)
    thread.start()
    wait_until(lambda: marker.exists() and marker.read_text().endswith("}"))
    endless.close()
    thread.join(LIMIT_S)
    assert "the engine is closed" in str(errors)
    wait_until(lambda: not any(map(is_running, json.loads(marker.read_text())["ids"])))
    with pytest.raises(CompilerUnavailableError, match="closed"):
        endless.compile(SPECIFICATION)


def test_the_compiler_has_one_thread_no_credentials_and_files_only_in_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    marker = tmp_path / "state"
    with pytest.raises(CompilationError):
        compiler_that(READY, marker=marker).compile(SPECIFICATION)
    environment = json.loads(marker.read_text())["environment"]
    assert environment["OMP_NUM_THREADS"] == environment["TORCHINDUCTOR_COMPILE_THREADS"] == "1"
    assert not [name for name in environment if name.startswith("AWS_")]
    directory = Path(environment["TMPDIR"])
    assert Path(environment["TORCHINDUCTOR_CACHE_DIR"]).parent == directory
    assert not directory.exists()


def test_the_compiler_restricts_itself_and_ends_with_its_parent(tmp_path: Path) -> None:
    """The parent is a process that starts the compiler, and is killed."""
    limits = {"seconds": 1000, "memory_bytes": 4 << 30, "niceness": 5}
    (tmp_path / compiler.LIMITS).write_text(json.dumps(limits))
    state = tmp_path / "state"
    child = f"""
import os, pathlib, resource, sys, time
from inference.diffusion.compilation import compiler
restrict = compiler._restrict
def restrict_and_wait(**limits):
    before = os.nice(0)
    restrict(**limits)
    data = resource.getrlimit(resource.RLIMIT_DATA)[0]
    pathlib.Path({str(state)!r}).write_text(f"{{os.getpid()}} {{os.nice(0) - before}} {{data}} .")
    time.sleep(1000)
compiler._restrict = restrict_and_wait
sys.argv = ["", {str(tmp_path)!r}]
compiler.main()
"""
    parent = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {child!r}], stdin=subprocess.PIPE, process_group=0)
time.sleep(1000)
"""
    process = subprocess.Popen([sys.executable, "-c", parent], env={**os.environ, "PYTHONPATH": str(ROOT)})
    wait_until(lambda: state.exists() and state.read_text().endswith("."))
    process_id, niceness, data, _ = state.read_text().split()
    assert (int(niceness), int(data)) == (5, 4 << 30)
    assert is_running(int(process_id))
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not is_running(int(process_id)))


def test_without_a_c_compiler_one_line_is_logged_and_nothing_is_compiled(
    monkeypatch: pytest.MonkeyPatch, log: Log, tmp_path: Path
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    packages = Packages(InMemoryCompileCache(), CompilerProcess().compile)
    others: Any = [TensorLayout((samples, 4, 8, 8), (256, 64, 8, 1), "float32") for samples in (1, 2, 3)]
    for layout in others:
        packages.request(Specification("{}", (), (("sample", layout),), "cpu", 1, (), (("device", "x"),)))
        wait_until(lambda: "the UNet is not compiled: there is no C++ compiler (g++)" in log.text)
    assert len(log.lines) == 1


def test_the_most_requested_package_is_compiled_next() -> None:
    compiled: list[str] = []
    first, rare, frequent = (
        Specification(name, (), (("sample", LAYOUT),), "cpu", 1, (), (("device", "x"),)) for name in "abc"
    )
    ends: list[Specification] = []

    def compile_(specification: Specification) -> bytes:
        compiled.append(specification.config)
        wait_until(lambda: specification in ends)
        raise CompilationError("not needed")

    packages = Packages(InMemoryCompileCache(), compile_)
    packages.request(first)
    wait_until(lambda: compiled == ["a"])
    packages.request(rare)
    packages.request(frequent)
    packages.request(frequent)
    wait_until(lambda: len(packages._missing) == 2)
    ends.extend([first, rare, frequent])
    wait_until(lambda: len(compiled) == 3)
    assert compiled == ["a", "c", "b"]
