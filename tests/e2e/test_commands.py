"""The commands of the local stack."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from local.__main__ import main
from local.address import Address, published_address
from local.processes import free_port
from local.stack import LocalStack
from local.web_server import listen
from tests.conftest import ROOT
from tests.waiting import wait_until


def has_ended(process: psutil.Process) -> bool:
    """Whether the process has ended, even if its parent has not waited for it yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def command(directory: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "local", "--directory", str(directory), *arguments]


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(directory, *arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=os.environ | {"COLUMNS": "200"},
    )


@pytest.fixture
def up(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`up`, started on an unused port, with its output in a pipe."""
    process = subprocess.Popen(
        command(tmp_path, "up", "--port", str(free_port())),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def listening_ports(processes: list[psutil.Process]) -> set[int]:
    return {
        connection.laddr.port
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


def test_up_serves_the_page_and_the_api_until_sigterm_and_leaves_no_process_file_or_port(
    up: subprocess.Popen[str], tmp_path: Path
) -> None:
    (tmp_path / "endpoint.json").write_text(json.dumps({"api_url": "of a process that was killed"}))
    wait_until(lambda: up.poll() is not None or "http://" in read_if_exists(tmp_path / "endpoint.json"))
    address = json.loads((tmp_path / "endpoint.json").read_text())
    headers = {"x-api-key": address["api_key"]}
    assert httpx.get(f"{address['api_url']}/v1/models", headers=headers, timeout=60).status_code == 200
    assert "<!doctype html>" in httpx.get(address["api_url"]).text
    config = httpx.get(f"{address['api_url']}/config.json").json()
    assert config == {"auth": {"type": "api_key", "key": address["api_key"]}}

    second = run(tmp_path, "up", "--port", str(free_port()))
    assert second.returncode == 1
    assert f"a local stack is already running at {address['api_url']}" in second.stdout
    assert json.loads((tmp_path / "endpoint.json").read_text()) == address

    parent = psutil.Process(up.pid)
    children = parent.children(recursive=True)
    ports = listening_ports([parent, *children])
    assert len(children) >= 2
    assert httpx.URL(address["api_url"]).port in ports
    up.send_signal(signal.SIGTERM)
    output, _ = up.communicate(timeout=60)
    assert up.returncode == 0
    page, api = (
        output.index(f"Open {address['api_url']} "),
        output.index(f"running at {address['api_url']}/v1 "),
    )
    assert page < api < output.index(f"curl -sS {address['api_url']}/v1/jobs")
    assert "after a restart there are none" in output
    assert all(has_ended(child) for child in children)
    assert not (tmp_path / "endpoint.json").exists()
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))


def read_if_exists(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def test_up_can_be_interrupted_while_it_starts(up: subprocess.Popen[str]) -> None:
    assert up.stdout is not None
    while "synthesizing" not in up.stdout.readline():
        pass
    children = psutil.Process(up.pid).children(recursive=True)
    assert children
    up.send_signal(signal.SIGINT)
    output, _ = up.communicate(timeout=60)
    assert (up.returncode, output) == (0, "stopping\n")
    wait_until(lambda: all(has_ended(child) for child in children))


def test_up_refuses_a_port_in_use(tmp_path: Path) -> None:
    with listen(0) as taken:
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run(tmp_path, "up", "--port", port)
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stdout


def test_a_demo_whose_job_fails_exits_with_its_error(
    stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(LocalStack, "start", lambda **_: stack)
    monkeypatch.setattr(stack, "stop", lambda: None)
    monkeypatch.setattr("local.__main__._set_signal_handler", lambda _handler: None)
    monkeypatch.setattr(sys, "argv", ["local", "demo", "--prompt", " ", "--output", str(tmp_path)])
    assert main() == 1
    assert "prompt: must not be empty" in capsys.readouterr().out


def test_the_showcase_reports_a_stack_that_has_ended(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    address = Address(api_url=url, api_key="", data_bucket="", aws_endpoint_url=url)
    with published_address(tmp_path, address):
        done = run(tmp_path, "showcase")
    assert done.returncode == 1
    assert f"no connection to {url.removeprefix('http://')}" in done.stdout
