"""Adapters from the models bucket: found by name, kept on the disk, replaced when they change."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from contract.problem import ErrorCode
from inference.artifacts import adapter_store
from inference.artifacts.adapter_store import AdapterFetchError, AdapterNotFoundError, AdapterStore
from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import Adapters
from inference.transfer.errors import Obstacle, TransferError
from tests.inference.generations import generation_of

MODELS = "models"


@pytest.fixture
def bucket(s3: Any) -> Any:
    s3.create_bucket(Bucket=MODELS)
    objects = {
        "loras/moon.safetensors": b"moon",
        "loras/moon-kohya.safetensors": b"kohya",
        "loras/moon.v2.safetensors": b"v2",
        "loras/notes.txt": b"no LoRA",
        "embeddings/cat.pt": b"cat",
        "embeddings/dog.pt": b"old dog",
        "embeddings/dog.safetensors": b"dog",
        "controlnets/canny/config.json": b"{}",
        "controlnets/canny/diffusion_pytorch_model.safetensors": b"canny",
        "vaes/soft/config.json": b"{soft}",
        "vaes/sharp.safetensors": b"sharp",
        "upscalers/twice.pth": b"twice",
    }
    for key, body in objects.items():
        put(s3, key, body)
    return s3


def put(s3: Any, key: str, body: bytes) -> None:
    s3.put_object(Bucket=MODELS, Key=f"adapters/{key}", Body=body)


@pytest.fixture
def store(bucket: Any, tmp_path: Path) -> AdapterStore:
    return AdapterStore(bucket, MODELS, tmp_path / "adapters", max_bytes=1000)


def loras(*names: str) -> Any:
    return generation_of(loras=[{"name": name} for name in names])


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that have been fetched."""
    keys: list[str] = []

    def count(s3: Any, source: Any, target: Path) -> None:
        keys.append(source.key)
        fetch(s3, source, target)

    fetch = adapter_store.fetch
    monkeypatch.setattr(adapter_store, "fetch", count)
    return keys


def test_everything_that_a_generation_names_is_fetched_in_its_order(store: AdapterStore) -> None:
    found = store.fetch(
        generation_of(
            loras=[{"name": "moon.v2", "weight": 0.5}, {"name": "moon"}],
            embeddings=["dog", "cat"],
            controlnets=[{"type": "canny", "image": "s3://data/map.png"}],
            vae="soft",
        )
    )
    assert [file.path.read_bytes() for file in (*found.loras, *found.embeddings)] == [
        b"v2",
        b"moon",
        b"dog",
        b"cat",
    ]
    assert [file.path.suffix for file in found.embeddings] == [".safetensors", ".pt"]
    assert [file.name for file in found.loras] == ["moon.v2", "moon"]
    canny, vae = found.controlnets[0], found.vae
    assert sorted(path.name for path in canny.path.iterdir()) == [
        "config.json",
        "diffusion_pytorch_model.safetensors",
    ]
    assert vae is not None
    assert (vae.path / "config.json").read_bytes() == b"{soft}"
    assert store.fetch_upscaler("twice").path.read_bytes() == b"twice"
    sharp = store.fetch(generation_of(vae="sharp")).vae
    assert sharp is not None
    assert sharp.path.read_bytes() == b"sharp"


def test_a_generation_that_names_none_asks_nobody(tmp_path: Path) -> None:
    assert AdapterStore(None, None, tmp_path, max_bytes=0).fetch(generation_of()) == Adapters()


def test_what_is_there_is_not_fetched_again_until_it_has_been_replaced(
    store: AdapterStore, bucket: Any, fetched: list[str]
) -> None:
    first = store.fetch(loras("moon")).loras[0]
    assert store.fetch(loras("moon")).loras[0] == first
    assert len(fetched) == 1
    put(bucket, "loras/moon.safetensors", b"full moon")
    second = store.fetch(loras("moon")).loras[0]
    assert second.version != first.version
    assert (first.path.read_bytes(), second.path.read_bytes()) == (b"moon", b"full moon")


def test_a_directory_is_of_another_version_when_one_of_its_files_is(store: AdapterStore, bucket: Any) -> None:
    asked = generation_of(controlnets=[{"type": "canny", "image": "s3://data/map.png"}])
    first = store.fetch(asked).controlnets[0]
    put(bucket, "controlnets/canny/config.json", b"{1}")
    assert store.fetch(asked).controlnets[0].version != first.version


def test_requests_at_the_same_time_fetch_it_once(
    store: AdapterStore, monkeypatch: pytest.MonkeyPatch, fetched: list[str]
) -> None:
    together = Barrier(4)
    find = adapter_store.find

    def meet(*arguments: Any) -> Any:
        found = find(*arguments)
        together.wait(20)
        return found

    monkeypatch.setattr(adapter_store, "find", meet)
    with ThreadPoolExecutor(4) as threads:
        files = list(threads.map(lambda _: store.fetch(loras("moon")).loras[0], range(4)))
    assert len({file.path for file in files}) == len(fetched) == 1
    assert files[0].path.read_bytes() == b"moon"


def test_the_least_recently_used_leaves_the_disk_but_nothing_that_is_in_use(
    bucket: Any, tmp_path: Path, fetched: list[str]
) -> None:
    store = AdapterStore(bucket, MODELS, tmp_path / "adapters", max_bytes=9)
    in_use = store.fetch(loras("moon"))
    store.fetch(loras("moon-kohya"))
    other = store.fetch(loras("moon.v2")).loras[0]
    assert in_use.loras[0].path.exists()
    assert other.path.exists()
    assert len(list((tmp_path / "adapters").iterdir())) == 2
    store.fetch(loras("moon", "moon-kohya"))
    assert [Path(key).stem for key in fetched] == ["moon", "moon-kohya", "moon.v2", "moon-kohya"]


def test_what_an_earlier_process_has_left_is_removed(bucket: Any, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    AdapterStore(bucket, MODELS, tmp_path, max_bytes=10)
    assert not tmp_path.exists()


def test_one_that_is_too_large_is_refused(bucket: Any, tmp_path: Path) -> None:
    store = AdapterStore(bucket, MODELS, tmp_path / "adapters", max_bytes=3)
    with pytest.raises(AdapterUnusableError, match="4 bytes; 3 are accepted") as caught:
        store.fetch(loras("moon"))
    assert caught.value.errors[0].pointer == "#/loras/0/name"


@pytest.mark.parametrize(
    ("asked", "pointer", "said"),
    [
        (
            {"loras": [{"name": "moon"}, {"name": "sun"}]},
            "#/loras/1/name",
            "there is moon, moon-kohya, moon.v2",
        ),
        ({"loras": [{"name": "moo"}]}, "#/loras/0/name", "There is no LoRA 'moo'; there is moon"),
        ({"embeddings": ["cow"]}, "#/embeddings/0", "there is cat, dog"),
        ({"controlnets": [{"type": "depth", "image": "s3://d/a"}]}, "#/controlnets/0/type", "there is canny"),
        ({"vae": "hard"}, "#/vae", "there is sharp, soft"),
    ],
)
def test_one_that_is_not_there_is_said_and_what_is_there(
    store: AdapterStore, asked: dict[str, Any], pointer: str, said: str
) -> None:
    with pytest.raises(AdapterNotFoundError, match=said) as caught:
        store.fetch(generation_of(**asked))
    assert caught.value.code == ErrorCode.ADAPTER_NOT_FOUND
    assert [wrong.pointer for wrong in caught.value.errors] == [pointer]


def test_many_are_not_listed(store: AdapterStore, bucket: Any) -> None:
    for index in range(20):
        put(bucket, f"upscalers/{index}.safetensors", b"x")
    with pytest.raises(AdapterNotFoundError, match="use one of those under adapters/upscalers/") as caught:
        store.fetch_upscaler("thrice", pointer="#/hires/upscaler")
    assert caught.value.errors[0].pointer == "#/hires/upscaler"


def test_an_empty_bucket_is_said_to_be(s3: Any, tmp_path: Path) -> None:
    store = AdapterStore(s3, "data", tmp_path, max_bytes=10)
    with pytest.raises(AdapterNotFoundError, match="none lies under adapters/loras/"):
        store.fetch(loras("moon"))


def test_without_a_bucket_it_says_so(tmp_path: Path) -> None:
    store = AdapterStore(None, None, tmp_path, max_bytes=10)
    with pytest.raises(AdapterNotFoundError, match="the service has no models bucket"):
        store.fetch(loras("moon"))


def test_a_bucket_out_of_reach_is_no_fault_of_the_request_and_the_next_one_succeeds(
    store: AdapterStore, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(_s3: Any, source: Any, target: Path) -> None:
        target.write_bytes(b"mo")
        raise TransferError(Obstacle.UNREACHABLE, source)

    with monkeypatch.context() as patch:
        patch.setattr(adapter_store, "fetch", break_off)
        with pytest.raises(AdapterFetchError) as caught:
            store.fetch(loras("moon"))
    assert caught.value.problem().retryable
    assert store.fetch(loras("moon")).loras[0].path.read_bytes() == b"moon"
    with pytest.raises(AdapterFetchError):
        AdapterStore(bucket, "elsewhere", Path("nowhere"), max_bytes=9).fetch(loras("moon"))


def test_one_that_is_removed_while_it_is_fetched_is_not_there(
    store: AdapterStore, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = adapter_store.find

    def remove(*arguments: Any) -> Any:
        found = find(*arguments)
        bucket.delete_object(Bucket=MODELS, Key="adapters/loras/moon.safetensors")
        return found

    monkeypatch.setattr(adapter_store, "find", remove)
    with pytest.raises(AdapterNotFoundError, match="has just been removed"):
        store.fetch(loras("moon"))
