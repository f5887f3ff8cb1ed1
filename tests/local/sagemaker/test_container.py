"""The container as a local process."""

from pathlib import Path

import pytest

from contract.environment import ContainerEnvironment
from contract.model import ModelDeclaration, ModelDefaults
from local.aws import LocalAws
from local.sagemaker import container as module
from local.sagemaker.container import Container, ContainerError

_SOCKET_PATH = 108
"""The longest path of a Unix socket on Linux."""


def test_the_temporary_directory_leaves_room_for_sockets_however_long_the_stack_s_own_path_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments: list[dict[str, str]] = []

    def start(_command: object, *, environment: dict[str, str], log: Path) -> None:
        environments.append(environment)
        raise ContainerError(f"not started; see {log}")

    monkeypatch.setattr(module, "ChildProcess", start)
    variables = ContainerEnvironment(
        model=ModelDeclaration(name="demo", defaults=ModelDefaults(width=64, height=64, steps=1)),
        data_bucket_name="data",
    ).variables()
    container = Container({"Environment": variables}, startup_timeout_s=1, directory=tmp_path / ("long" * 30))
    with pytest.raises(ContainerError):
        container.start(LocalAws(url="http://127.0.0.1:1"))
    scratch = Path(environments[0]["TMPDIR"])
    assert len(str(scratch / "pymp-12345678" / "listener-12345678")) < _SOCKET_PATH
    assert scratch.is_dir()
    container.stop()
    assert not scratch.exists()
