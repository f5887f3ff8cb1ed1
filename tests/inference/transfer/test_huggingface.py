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

KEY, WRONG_KEY = "hf_right", "hf_wrong"
SOURCE = HubSource(id=REPOSITORY, revision=REVISION)


@pytest.fixture
def hub(demo_model: Path) -> Iterator[FakeHub]:
    with FakeHub.of(demo_model).running() as hub:
        yield hub


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's client waits between its attempts; here it does not."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


def fetch(hub: FakeHub, directory: Path, source: HubSource = SOURCE, token: str | None = None) -> Path:
    return fetch_model(source, directory, token=token, endpoint=hub.url)


def fault(hub: FakeHub, directory: Path, **arguments: Any) -> str:
    with pytest.raises(HubError) as caught:
        fetch(hub, directory, **arguments)
    return str(caught.value)


def test_a_repository_becomes_a_directory(hub: FakeHub, demo_model: Path, tmp_path: Path) -> None:
    unneeded = {"README.md": b"#", "model.safetensors": b"all in one", "unet/pickle.bin": b"\x80"}
    hub.files |= unneeded
    directory = fetch(hub, tmp_path)
    files = sorted(hub.files.keys() - unneeded.keys())
    assert hub.fetched == files
    assert filecmp.cmpfiles(demo_model, directory, files, shallow=False) == (files, [], [])


def test_what_is_there_is_not_fetched_again(hub: FakeHub, tmp_path: Path) -> None:
    first = fetch(hub, tmp_path)
    hub.requests.clear()
    assert fetch(hub, tmp_path) == first
    assert hub.fetched == []


@pytest.mark.usefixtures("impatient")
def test_a_transfer_that_breaks_off_is_resumed(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 20)
    name = "unet/diffusion_pytorch_model.safetensors"
    hub.interrupted = {name}
    directory = fetch(hub, tmp_path)
    assert (directory / name).read_bytes() == hub.files[name]
    ranges = [wanted for method, path, wanted in hub.requests if method == "GET" and path.endswith(name)]
    assert ranges == [None, f"bytes={len(hub.files[name]) // 2 >> 20 << 20}-"]


def test_a_private_repository_is_opened_with_the_token(hub: FakeHub, tmp_path: Path) -> None:
    hub.token = KEY
    assert (fetch(hub, tmp_path, token=KEY) / "model_index.json").is_file()


def test_a_private_repository_is_not_there_without_one(hub: FakeHub, tmp_path: Path) -> None:
    hub.token = KEY
    message = fault(hub, tmp_path)
    assert message.startswith(f"model_source.id: {REPOSITORY} does not exist, or is private; ")
    assert "token_secret_arn" in message


def test_the_hosts_own_token_is_not_used(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.token = KEY
    monkeypatch.setenv("HF_TOKEN", KEY)
    assert "does not exist, or is private" in fault(hub, tmp_path)


def test_a_token_that_is_refused_is_said_and_not_shown(hub: FakeHub, tmp_path: Path, log: Log) -> None:
    message = fault(hub, tmp_path, token=WRONG_KEY)
    assert message.startswith(f"model_source.token_secret_arn: the hub refuses access to {REPOSITORY};")
    assert WRONG_KEY not in message + log.text


def test_a_gated_repository_is_said(hub: FakeHub, tmp_path: Path) -> None:
    hub.gated = True
    message = fault(hub, tmp_path)
    assert message.startswith(f"model_source.id: {REPOSITORY} is gated; accept its terms at ")


def test_a_repository_that_is_missing_is_said(hub: FakeHub, tmp_path: Path) -> None:
    message = fault(hub, tmp_path, source=HubSource(id="nobody/nothing", revision=REVISION))
    assert message.startswith("model_source.id: nobody/nothing does not exist")


def test_a_revision_that_is_missing_is_said(hub: FakeHub, tmp_path: Path) -> None:
    message = fault(hub, tmp_path, source=HubSource(id=REPOSITORY, revision="f" * 40))
    assert message.startswith(f"model_source.revision: {REPOSITORY} has no commit {'f' * 40};")


@pytest.mark.usefixtures("impatient")
def test_a_hub_that_is_out_of_reach_is_said(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        hub = FakeHub({}, url=f"http://127.0.0.1:{unused.getsockname()[1]}")
        message = fault(hub, tmp_path)
    assert f"{REPOSITORY} could not be fetched from {hub.url} (ConnectError)" in message


def test_what_a_failed_fetch_has_completed_is_no_model_yet_and_is_not_fetched_again(
    hub: FakeHub, tmp_path: Path
) -> None:
    hub.forbidden = {"unet/config.json"}
    assert "refuses access" in fault(hub, tmp_path)
    assert "refuses access" in fault(hub, tmp_path)
    completed = {path.relative_to(tmp_path / REVISION).as_posix() for path in tmp_path.rglob("*.*")}
    hub.forbidden = set()
    hub.requests.clear()
    directory = fetch(hub, tmp_path)
    assert "unet/config.json" in hub.fetched
    assert completed.isdisjoint(hub.fetched)
    assert all((directory / name).read_bytes() == content for name, content in hub.files.items())


@pytest.mark.parametrize("index", [b"[]", b"nonsense", b'{"unet":'])
def test_a_repository_with_a_broken_index_is_said(hub: FakeHub, tmp_path: Path, index: bytes) -> None:
    hub.files["model_index.json"] = index
    assert "model_index.json is a JSON object" in fault(hub, tmp_path)


def test_a_repository_in_another_layout_is_said(hub: FakeHub, tmp_path: Path) -> None:
    hub.files = {"v1-5-pruned.safetensors": b"all in one"}
    assert fault(hub, tmp_path) == (
        f"model_source.id: {REPOSITORY} has no model_index.json; name a repository in the diffusers layout."
    )


def test_a_repository_with_pickles_alone_is_said(hub: FakeHub, tmp_path: Path) -> None:
    hub.files["unet/diffusion_pytorch_model.bin"] = hub.files.pop("unet/diffusion_pytorch_model.safetensors")
    assert fault(hub, tmp_path).startswith("model_source: unet has no safetensors weights")


def test_a_full_disk_is_said(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    assert "does not fit the disk" in fault(hub, tmp_path)


def chosen(*names: str) -> set[str]:
    return set(select_files(names, ["unet"]))


@pytest.mark.parametrize(
    ("names", "kept"),
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
    ids=["fp16", "no fp16", "shards of fp16", "shards", "tokenizer"],
)
def test_a_component_has_its_texts_and_one_set_of_weights(names: list[str], kept: list[str]) -> None:
    assert chosen(*(f"unet/{name}" for name in names)) == {f"unet/{name}" for name in kept}


def test_only_components_are_chosen() -> None:
    names = ["d.safetensors", "unet/d.safetensors", "vae_1_0/d.safetensors", "unet/old/d.safetensors"]
    assert chosen(*names) == {"unet/d.safetensors"}


def test_weights_of_another_variant_alone_are_not_taken() -> None:
    with pytest.raises(HubError, match="unet has no safetensors weights"):
        chosen("unet/d.bf16.safetensors")
