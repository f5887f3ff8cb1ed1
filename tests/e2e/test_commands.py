"""The commands as a user types them, each in a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from local.processes import free_port
from local.web_server import listen
from tests.conftest import ROOT


def is_alive(process: psutil.Process) -> bool:
    """False also for one that has ended and waits for init to note it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "local", *arguments]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path, int]]:
    """`up` on a port of its own, started and ready."""
    port = free_port()
    process = subprocess.Popen(
        command("--directory", str(tmp_path), "up", "--port", str(port)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    address = tmp_path / "endpoint.json"
    for _ in range(600):
        if address.exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    yield process, address, port
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_answers_until_it_is_told_to_stop_and_leaves_nothing_behind(
    running: tuple[subprocess.Popen[str], Path, int], number: signal.Signals
) -> None:
    process, path, port = running
    address = json.loads(path.read_text())
    assert address["api_url"] == f"http://127.0.0.1:{port}"
    headers = {"x-api-key": address["api_key"]}
    assert httpx.get(f"{address['api_url']}/v1/models", headers=headers, timeout=30).status_code == 200

    family = psutil.Process(process.pid).children(recursive=True)
    ports = {
        connection.laddr.port
        for member in family
        for connection in member.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert len(family) >= 2
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"curl -sS {address['api_url']}/v1/jobs" in output
    assert not [member for member in family if is_alive(member)]
    assert not path.exists()
    for each in {port, *ports}:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", each))


def test_up_names_a_port_that_is_taken(tmp_path: Path) -> None:
    with listen(0) as taken:
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            command("--directory", str(tmp_path), "up", "--port", port),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stdout


def test_a_demo_whose_job_fails_exits_with_its_error(tmp_path: Path) -> None:
    done = subprocess.run(
        command("--directory", str(tmp_path), "demo", "--prompt", " ", "--output", str(tmp_path / "out")),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"COLUMNS": "200"},
    )
    assert done.returncode == 1
    assert "prompt: must not be empty" in done.stdout


def test_a_showcase_of_a_stack_that_is_gone_says_so(tmp_path: Path) -> None:
    gone = {"api_url": f"http://127.0.0.1:{free_port()}", "api_key": "x"}
    (tmp_path / "endpoint.json").write_text(json.dumps(gone))
    done = subprocess.run(
        command("--directory", str(tmp_path), "showcase"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert f"nothing answers at {gone['api_url'].removeprefix('http://')}" in done.stdout
