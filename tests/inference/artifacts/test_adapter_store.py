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
from inference.transfer.errors import TransferError, TransferFailure
from tests.inference.artifacts.adapter_bucket import MODELS, put
from tests.inference.generations import generation_of
from tests.waiting import LIMIT_S


@pytest.fixture
def store(bucket: Any, tmp_path: Path) -> AdapterStore:
    return AdapterStore(bucket, MODELS, tmp_path / "adapters", max_bytes=1000)


def with_loras(*names: str) -> Any:
    return generation_of(loras=[{"name": name} for name in names])


@pytest.fixture
def fetched_keys(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the objects that were downloaded."""
    keys: list[str] = []

    def record(s3: Any, source: Any, target: Path) -> None:
        keys.append(source.key)
        fetch(s3, source, target)

    fetch = adapter_store.fetch
    monkeypatch.setattr(adapter_store, "fetch", record)
    return keys


def test_all_adapters_of_a_generation_are_fetched_in_order(store: AdapterStore) -> None:
    found = store.fetch(
        generation_of(
            loras=[{"name": "moon.v2", "weight": 0.5}, {"name": "moon"}],
            embeddings=["dog", "cat"],
            controlnets=[{"type": "canny", "image": "s3://data/map.png"}],
            vae="soft",
        )
    )
    assert [file.path.read_bytes() for file in found.loras] == [b"v2", b"moon"]
    assert [file.name for file in found.loras] == ["moon.v2", "moon"]
    assert [file.path.read_bytes() for file in found.embeddings] == [b"dog", b"cat"]
    assert [file.path.suffix for file in found.embeddings] == [".safetensors", ".pt"]
    assert {path.name for path in found.controlnets[0].path.iterdir()} == {
        "config.json",
        "diffusion_pytorch_model.safetensors",
    }
    assert found.vae is not None
    assert (found.vae.path / "config.json").read_bytes() == b"{soft}"


def test_a_lora_of_the_prompt_is_fetched_and_an_unknown_one_is_refused_there(store: AdapterStore) -> None:
    found = store.fetch(generation_of(prompt="a <lora:moon.v2:0.5>", loras=[{"name": "moon"}]))
    assert [file.name for file in found.loras] == ["moon.v2", "moon"]
    with pytest.raises(AdapterNotFoundError, match="There is no LoRA 'comet'; available: ") as refused:
        store.fetch(generation_of(prompt="a <lora:moon> <lora:comet:1>"))
    assert refused.value.errors[0].pointer == "#/prompt"
    with pytest.raises(AdapterNotFoundError) as refused:
        store.fetch(generation_of(prompt="a <lora:moon>", loras=[{"name": "comet"}]))
    assert refused.value.errors[0].pointer == "#/loras/0/name"


def test_an_adapter_with_a_name_in_any_script_is_fetched(bucket: Any, store: AdapterStore) -> None:
    name = "style (v2) [fp16] 月"
    put(bucket, f"loras/{name}.safetensors", b"style")
    put(bucket, f"controlnets/{name}/config.json", b"{}")
    found = store.fetch(
        generation_of(
            prompt=f"a <lora:{name}:0.5>", controlnets=[{"type": name, "image": "s3://data/map.png"}]
        )
    )
    assert [(file.name, file.path.read_bytes()) for file in found.loras] == [(name, b"style")]
    assert [(file.name, [each.name for each in file.path.iterdir()]) for file in found.controlnets] == [
        (name, ["config.json"])
    ]


def test_a_vae_in_a_single_file_is_fetched(store: AdapterStore) -> None:
    vae = store.fetch(generation_of(vae="sharp")).vae
    assert vae is not None
    assert vae.path.read_bytes() == b"sharp"


def test_an_upscaler_is_fetched(store: AdapterStore) -> None:
    assert store.fetch_upscaler("twice").path.read_bytes() == b"twice"


def test_a_generation_without_adapters_needs_no_bucket(tmp_path: Path) -> None:
    assert AdapterStore(None, None, tmp_path, max_bytes=0).fetch(generation_of()) == Adapters()


def test_a_cached_adapter_is_fetched_again_only_when_it_was_replaced(
    store: AdapterStore, bucket: Any, fetched_keys: list[str]
) -> None:
    first = store.fetch(with_loras("moon")).loras[0]
    assert store.fetch(with_loras("moon")).loras[0] == first
    assert len(fetched_keys) == 1
    put(bucket, "loras/moon.safetensors", b"full moon")
    second = store.fetch(with_loras("moon")).loras[0]
    assert second.version != first.version
    assert (first.path.read_bytes(), second.path.read_bytes()) == (b"moon", b"full moon")


def test_simultaneous_requests_fetch_an_adapter_once(
    store: AdapterStore, monkeypatch: pytest.MonkeyPatch, fetched_keys: list[str]
) -> None:
    barrier = Barrier(4)
    find_adapter = adapter_store.find_adapter

    def find_and_wait(*arguments: Any) -> Any:
        found = find_adapter(*arguments)
        barrier.wait(LIMIT_S)
        return found

    monkeypatch.setattr(adapter_store, "find_adapter", find_and_wait)
    with ThreadPoolExecutor(4) as threads:
        files = list(threads.map(lambda _: store.fetch(with_loras("moon")).loras[0], range(4)))
    assert len({file.path for file in files}) == len(fetched_keys) == 1
    assert files[0].path.read_bytes() == b"moon"


def test_adapters_beyond_the_cache_size_are_evicted_unless_in_use(
    bucket: Any, tmp_path: Path, fetched_keys: list[str]
) -> None:
    store = AdapterStore(bucket, MODELS, tmp_path / "adapters", max_bytes=9)
    in_use = store.fetch(with_loras("moon"))
    store.fetch(with_loras("moon-kohya"))
    store.fetch(with_loras("moon.v2"))
    assert in_use.loras[0].path.exists()
    store.fetch(with_loras("moon", "moon-kohya"))
    assert [Path(key).stem for key in fetched_keys] == ["moon", "moon-kohya", "moon.v2", "moon-kohya"]


def test_an_adapter_larger_than_the_cache_is_refused(bucket: Any, tmp_path: Path) -> None:
    store = AdapterStore(bucket, MODELS, tmp_path / "adapters", max_bytes=3)
    with pytest.raises(
        AdapterUnusableError, match="has 4 bytes, and 3 are accepted; use a smaller"
    ) as caught:
        store.fetch(with_loras("moon"))
    assert caught.value.errors[0].pointer == "#/loras/0/name"


@pytest.mark.parametrize(
    ("request_fields", "pointer", "message"),
    [
        (
            {"loras": [{"name": "moon"}, {"name": "sun"}]},
            "#/loras/1/name",
            "There is no LoRA 'sun'; available: moon, moon-kohya, moon.v2",
        ),
        ({"loras": [{"name": "moo"}]}, "#/loras/0/name", "There is no LoRA 'moo'; available: moon"),
        ({"embeddings": ["cow"]}, "#/embeddings/0", "available: cat, dog"),
        (
            {"controlnets": [{"type": "depth", "image": "s3://d/a"}]},
            "#/controlnets/0/type",
            "available: canny",
        ),
        ({"vae": "hard"}, "#/vae", "available: sharp, soft"),
    ],
)
def test_a_missing_adapter_is_named_with_those_available(
    store: AdapterStore, request_fields: dict[str, Any], pointer: str, message: str
) -> None:
    with pytest.raises(AdapterNotFoundError, match=message) as caught:
        store.fetch(generation_of(**request_fields))
    assert caught.value.code == ErrorCode.ADAPTER_NOT_FOUND
    assert [error.pointer for error in caught.value.errors] == [pointer]


def test_many_available_adapters_are_not_listed(store: AdapterStore, bucket: Any) -> None:
    for index in range(20):
        put(bucket, f"upscalers/{index}.safetensors", b"x")
    with pytest.raises(AdapterNotFoundError, match="use one of those under adapters/upscalers/") as caught:
        store.fetch_upscaler("thrice", pointer="#/hires/upscaler")
    assert caught.value.errors[0].pointer == "#/hires/upscaler"


def test_a_bucket_without_adapters_is_named_as_such(s3: Any, tmp_path: Path) -> None:
    store = AdapterStore(s3, "data", tmp_path, max_bytes=10)
    with pytest.raises(AdapterNotFoundError, match="there is none under adapters/loras/"):
        store.fetch(with_loras("moon"))


def test_without_a_models_bucket_no_adapter_is_available(tmp_path: Path) -> None:
    store = AdapterStore(None, None, tmp_path, max_bytes=10)
    with pytest.raises(
        AdapterNotFoundError, match="No LoRA is available: this endpoint has no models bucket"
    ):
        store.fetch(with_loras("moon"))


def test_a_failed_download_is_retryable_and_resumed_by_the_next_request(
    store: AdapterStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_s3: Any, source: Any, target: Path) -> None:
        target.write_bytes(b"mo")
        raise TransferError(TransferFailure.INTERRUPTED, source)

    with monkeypatch.context() as patch:
        patch.setattr(adapter_store, "fetch", interrupt)
        with pytest.raises(AdapterFetchError) as caught:
            store.fetch(with_loras("moon"))
    assert caught.value.problem().retryable
    assert store.fetch(with_loras("moon")).loras[0].path.read_bytes() == b"moon"


def test_an_unreadable_bucket_is_a_retryable_error(s3: Any, tmp_path: Path) -> None:
    store = AdapterStore(s3, "no-such-bucket", tmp_path / "adapters", max_bytes=9)
    with pytest.raises(AdapterFetchError, match="LoRA 'moon' could not be downloaded") as caught:
        store.fetch(with_loras("moon"))
    assert caught.value.problem().retryable


def test_an_adapter_that_is_removed_during_its_download_is_not_found(
    store: AdapterStore, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_adapter = adapter_store.find_adapter

    def find_and_remove(*arguments: Any) -> Any:
        found = find_adapter(*arguments)
        bucket.delete_object(Bucket=MODELS, Key="adapters/loras/moon.safetensors")
        return found

    monkeypatch.setattr(adapter_store, "find_adapter", find_and_remove)
    with pytest.raises(AdapterNotFoundError, match="was removed during its download"):
        store.fetch(with_loras("moon"))
