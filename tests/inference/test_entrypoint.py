import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import psutil
import pytest

from contract.model import ModelDeclaration, ModelDefaults
from inference.entrypoint import gpu_devices
from tests.conftest import ROOT
from tests.inference.container_process import ContainerProcess
from tests.inference.transfer.hub_server import FakeHub
from tests.waiting import LIMIT_S, wait_until

REPORT = """
import json, os, pathlib, tempfile
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
scratch = tempfile.mkdtemp()
print(json.dumps({
    "pid": os.getpid(),
    "user": os.getuid(),
    "groups": os.getgroups(),
    "capabilities": [status[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")],
    "no_new_privileges": status["NoNewPrivs"].strip(),
    "scratch": scratch,
    "home": os.environ["HOME"],
}))
"""

START = """
import sys
from pathlib import Path
from inference.entrypoint import run_as
from inference.observability.logs import start_logging
start_logging()
run_as("daemon", ("python3", "-c", sys.argv[1]), needs=[Path(each) for each in sys.argv[2:]])
"""

SERVE = """
import sys
from pathlib import Path
from inference.entrypoint import run_as
run_as("daemon", (sys.executable, "-m", "inference"), needs=[Path(sys.argv[1])])
"""

DAEMON = pwd.getpwnam("daemon")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that every user may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        yield Path(path)


def report(directory: Path, *needs: Path) -> tuple[dict[str, object], list[dict[str, str]]]:
    """The report of a command of `run_as`, and the log before it."""
    scratch = directory / "tmp"
    scratch.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", START, REPORT, *map(str, needs)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(scratch), "HOME": "/root", "PATH": "/usr/local/bin:/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    )
    output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0
    *log, last = [json.loads(line) for line in output.splitlines()]
    assert last.pop("pid") == process.pid  # signals reach the command
    return last, log


@as_root
def test_the_server_has_no_privileges_and_its_own_directory_for_temporary_files(directory: Path) -> None:
    model = directory / "model"
    (model / "unet").mkdir(parents=True)
    (model / "unet" / "weights").touch()
    seen, log = report(directory, model, directory / "absent")
    assert log == []
    assert seen["user"] == DAEMON.pw_uid
    assert seen["groups"] == [DAEMON.pw_gid]
    assert {int(each, 16) for each in seen["capabilities"]} == {0}  # type: ignore[attr-defined]
    assert seen["no_new_privileges"] == "1"
    assert Path(str(seen["scratch"])).parent == directory / "tmp" / "daemon"
    assert seen["home"] == DAEMON.pw_dir


@as_root
@pytest.mark.parametrize("mode", [0o700, 0o744])
def test_the_server_stays_root_and_says_so_if_the_user_cannot_read_the_model(
    directory: Path, mode: int
) -> None:
    model = directory / "model"
    (model / "unet").mkdir(parents=True)
    (model / "unet" / "weights").touch()
    (model / "unet").chmod(mode)
    seen, log = report(directory, model)
    assert seen["user"] == 0
    (warning,) = log
    assert warning["level"] == "WARNING"
    assert "the server runs as root, because the user daemon has no access" in warning["message"]
    assert str(model / "unet") in warning["message"]


@as_root
def test_the_server_stays_root_if_the_user_cannot_open_a_device(directory: Path) -> None:
    device = directory / "nvidia0"
    device.touch(mode=0o600)
    seen, (warning,) = report(directory, device)
    assert seen["user"] == 0
    assert str(device) in warning["message"]


def test_only_devices_that_cuda_opens_are_needed(directory: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-modeset", "nvidia-caps"):
        (directory / name).touch()
    names = [path.name for path in gpu_devices(directory)]
    assert names == ["nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"]


@as_root
def test_the_server_generates_as_another_user(directory: Path, demo_model: Path) -> None:
    scratch, home = directory / "tmp", directory / "home"
    for path in (scratch, home):
        path.mkdir()
    os.chown(home, DAEMON.pw_uid, DAEMON.pw_gid)
    model = directory / "model"
    shutil.copytree(demo_model, model)
    hub = FakeHub.of(demo_model)
    with hub.running():
        container = ContainerProcess(
            directory / "log",
            variables={"TMPDIR": str(scratch), "HF_HOME": str(home), "AWS_ENDPOINT_URL": hub.url},
            command=(sys.executable, "-c", SERVE, str(model)),
            model=ModelDeclaration(name="demo", defaults=ModelDefaults(width=64, height=64, steps=2)),
            model_directory=str(model),
        )
        try:
            wait_until(lambda: container.ping() == HTTPStatus.OK)
            assert psutil.Process(container.process.pid).uids().effective == DAEMON.pw_uid
            assert (
                container.http.post("/invocations", json={"prompt": "a circle"}).status_code == HTTPStatus.OK
            )
        finally:
            container.end()
