import errno
import filecmp
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.source import HubSource
from inference.transfer.huggingface import HubError, fetch_model, select_files
from tests.inference.conftest import Log
from tests.inference.transfer.hub_server import REPOSITORY, REVISION, FakeHub

TOKEN, WRONG_TOKEN = "hf_right", "hf_wrong"
SOURCE = HubSource(id=REPOSITORY, revision=REVISION)


@pytest.fixture
def hub(demo_model: Path) -> Iterator[FakeHub]:
    with FakeHub.of(demo_model).running() as hub:
        yield hub


@pytest.fixture
def no_retry_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the delay between the attempts of huggingface_hub."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


def fetch(hub: FakeHub, directory: Path, source: HubSource = SOURCE, token: str | None = None) -> Path:
    return fetch_model(source, directory, token=token, endpoint=hub.url)


def error_of(hub: FakeHub, directory: Path, **arguments: Any) -> str:
    with pytest.raises(HubError) as caught:
        fetch(hub, directory, **arguments)
    return str(caught.value)


def test_the_files_of_the_components_are_downloaded(hub: FakeHub, demo_model: Path, tmp_path: Path) -> None:
    unneeded = {"README.md": b"#", "model.safetensors": b"all in one", "unet/pickle.bin": b"\x80"}
    hub.files |= unneeded
    directory = fetch(hub, tmp_path)
    files = sorted(hub.files.keys() - unneeded.keys())
    assert hub.fetched == files
    assert filecmp.cmpfiles(demo_model, directory, files, shallow=False) == (files, [], [])


def test_a_complete_model_is_not_downloaded_again(hub: FakeHub, tmp_path: Path) -> None:
    first = fetch(hub, tmp_path)
    hub.requests.clear()
    assert fetch(hub, tmp_path) == first
    assert hub.fetched == []


@pytest.mark.usefixtures("no_retry_delay")
def test_an_interrupted_download_is_resumed(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 20)
    name = "unet/diffusion_pytorch_model.safetensors"
    hub.interrupted = {name}
    directory = fetch(hub, tmp_path)
    assert (directory / name).read_bytes() == hub.files[name]
    ranges = [
        byte_range for method, path, byte_range in hub.requests if method == "GET" and path.endswith(name)
    ]
    assert ranges == [None, f"bytes={len(hub.files[name]) // 2 >> 20 << 20}-"]


def test_a_private_repository_is_downloaded_with_the_token(hub: FakeHub, tmp_path: Path) -> None:
    hub.token = TOKEN
    assert (fetch(hub, tmp_path, token=TOKEN) / "model_index.json").is_file()


def test_a_private_repository_is_not_found_without_a_token(hub: FakeHub, tmp_path: Path) -> None:
    hub.token = TOKEN
    message = error_of(hub, tmp_path)
    assert message.startswith(f"model_source.id: {REPOSITORY} does not exist, or is private; ")
    assert "token_secret_arn" in message


def test_the_token_of_the_environment_is_not_used(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.token = TOKEN
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert "does not exist, or is private" in error_of(hub, tmp_path)


def test_an_invalid_token_is_refused_and_not_logged(hub: FakeHub, tmp_path: Path, log: Log) -> None:
    message = error_of(hub, tmp_path, token=WRONG_TOKEN)
    assert message.startswith(f"model_source.token_secret_arn: the Hub denied access to {REPOSITORY};")
    assert WRONG_TOKEN not in message + log.text


def test_a_gated_repository_is_refused_with_the_address_of_its_terms(hub: FakeHub, tmp_path: Path) -> None:
    hub.gated = True
    message = error_of(hub, tmp_path)
    assert message.startswith(f"model_source.id: {REPOSITORY} is gated; accept its terms at ")


def test_a_missing_repository_is_named(hub: FakeHub, tmp_path: Path) -> None:
    message = error_of(hub, tmp_path, source=HubSource(id="someone/nothing", revision=REVISION))
    assert message.startswith("model_source.id: someone/nothing does not exist")


def test_a_missing_revision_is_named(hub: FakeHub, tmp_path: Path) -> None:
    message = error_of(hub, tmp_path, source=HubSource(id=REPOSITORY, revision="f" * 40))
    assert message.startswith(f"model_source.revision: {REPOSITORY} has no commit {'f' * 40};")


@pytest.mark.usefixtures("no_retry_delay")
def test_an_unreachable_hub_is_named(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        hub = FakeHub({}, url=f"http://127.0.0.1:{unused.getsockname()[1]}")
        message = error_of(hub, tmp_path)
    assert f"{REPOSITORY} could not be downloaded from {hub.url} (ConnectError)" in message


def test_a_failed_download_keeps_its_complete_files_for_the_next_call(hub: FakeHub, tmp_path: Path) -> None:
    hub.forbidden = {"unet/config.json"}
    assert "denied access" in error_of(hub, tmp_path)
    assert "denied access" in error_of(hub, tmp_path)
    completed = {path.relative_to(tmp_path / REVISION).as_posix() for path in tmp_path.rglob("*.*")}
    hub.forbidden = set()
    hub.requests.clear()
    directory = fetch(hub, tmp_path)
    assert "unet/config.json" in hub.fetched
    assert completed.isdisjoint(hub.fetched)
    assert all((directory / name).read_bytes() == content for name, content in hub.files.items())


@pytest.mark.parametrize("index", [b"[]", b"nonsense", b'{"unet":'])
def test_an_invalid_model_index_is_refused(hub: FakeHub, tmp_path: Path, index: bytes) -> None:
    hub.files["model_index.json"] = index
    assert "model_index.json is a JSON object" in error_of(hub, tmp_path)


def test_a_repository_without_a_model_index_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    hub.files = {"v1-5-pruned.safetensors": b"all in one"}
    assert error_of(hub, tmp_path) == (
        f"model_source.id: {REPOSITORY} has no model_index.json; choose a repository in the diffusers layout."
    )


def test_a_repository_with_pickled_weights_alone_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    hub.files["unet/diffusion_pytorch_model.bin"] = hub.files.pop("unet/diffusion_pytorch_model.safetensors")
    assert error_of(hub, tmp_path).startswith("model_source: unet has no safetensors weights")


def test_a_full_disk_is_named(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", fail)
    assert "does not fit on the disk" in error_of(hub, tmp_path)


def selected(*names: str) -> set[str]:
    return set(select_files(names, ["unet"]))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["config.json", "d.safetensors", "d.fp16.safetensors", "d.non_ema.safetensors", "d.bin"],
            ["config.json", "d.fp16.safetensors"],
        ),
        (["d.safetensors", "d.bf16.safetensors", "d.onnx", "d.msgpack"], ["d.safetensors"]),
        (
            [
                "d-00001-of-00002.safetensors",
                "d-00002-of-00002.safetensors",
                "d.safetensors.index.json",
                "d.fp16-00001-of-00001.safetensors",
                "d.safetensors.index.fp16.json",
            ],
            ["d.fp16-00001-of-00001.safetensors", "d.safetensors.index.fp16.json"],
        ),
        (
            ["d-00001-of-00001.safetensors", "d.safetensors.index.json"],
            ["d-00001-of-00001.safetensors", "d.safetensors.index.json"],
        ),
        (
            ["vocab.json", "merges.txt", "spiece.model", "setup.py"],
            ["vocab.json", "merges.txt", "spiece.model"],
        ),
    ],
    ids=["fp16", "no fp16", "fp16 shards", "shards", "tokenizer"],
)
def test_a_component_has_its_configuration_and_one_variant_of_its_weights(
    names: list[str], expected: list[str]
) -> None:
    assert selected(*(f"unet/{name}" for name in names)) == {f"unet/{name}" for name in expected}


def test_only_files_of_components_are_selected() -> None:
    names = ["d.safetensors", "unet/d.safetensors", "vae_1_0/d.safetensors", "unet/old/d.safetensors"]
    assert selected(*names) == {"unet/d.safetensors"}


def test_weights_of_another_variant_alone_are_refused() -> None:
    with pytest.raises(HubError, match="unet has no safetensors weights"):
        selected("unet/d.bf16.safetensors")
