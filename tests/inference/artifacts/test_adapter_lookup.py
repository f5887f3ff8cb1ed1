import unicodedata
from typing import Any

import pytest

from contract.adapters import CONTROLNET, EMBEDDING, LORA, UPSCALER, VAE, AdapterKind
from inference.artifacts.adapter_lookup import (
    MAX_LISTED_NAMES,
    BucketAdapter,
    find_adapter,
    list_adapter_names,
)
from tests.inference.artifacts.adapter_bucket import MODELS, put


def find(s3: Any, kind: AdapterKind, name: str) -> BucketAdapter:
    found = find_adapter(s3, MODELS, kind, name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "name", "key", "suffix", "size_bytes"),
    [
        (LORA, "moon", "adapters/loras/moon.safetensors", ".safetensors", 4),
        (LORA, "moon.v2", "adapters/loras/moon.v2.safetensors", ".safetensors", 2),
        (EMBEDDING, "cat", "adapters/embeddings/cat.pt", ".pt", 3),
        (CONTROLNET, "canny", "adapters/controlnets/canny/", "/", 7),
        (VAE, "soft", "adapters/vaes/soft/", "/", 6),
        (UPSCALER, "twice", "adapters/upscalers/twice.pth", ".pth", 5),
    ],
)
def test_an_adapter_is_found_by_its_name(
    bucket: Any, kind: AdapterKind, name: str, key: str, suffix: str, size_bytes: int
) -> None:
    found = find(bucket, kind, name)
    assert (found.key, found.suffix, found.size_bytes) == (key, suffix, size_bytes)


def test_the_preferred_suffix_is_found(bucket: Any) -> None:
    assert find(bucket, EMBEDDING, "dog").suffix == ".safetensors"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_in_any_script_is_found_in_either_normal_form(bucket: Any, form: Any) -> None:
    name = "Café (v2) [fp16] 月 がくせい"
    put(bucket, f"loras/{unicodedata.normalize(form, name)}.safetensors", b"moon")
    assert find(bucket, LORA, unicodedata.normalize("NFC", name)).size_bytes == 4
    assert unicodedata.normalize("NFC", name) in list_adapter_names(bucket, MODELS, LORA)


@pytest.mark.parametrize("name", ["moo", "sun", "notes"])
def test_none_is_found_by_another_name(bucket: Any, name: str) -> None:
    assert find_adapter(bucket, MODELS, LORA, name) is None


def test_a_directory_has_another_version_when_one_of_its_files_changes(bucket: Any) -> None:
    first = find(bucket, CONTROLNET, "canny")
    assert find(bucket, CONTROLNET, "canny") == first
    put(bucket, "controlnets/canny/config.json", b"[]")
    assert find(bucket, CONTROLNET, "canny").version != first.version


@pytest.mark.parametrize(
    ("kind", "names"),
    [(LORA, ["moon", "moon-kohya", "moon.v2"]), (EMBEDDING, ["cat", "dog"]), (VAE, ["sharp", "soft"])],
)
def test_names_are_listed_in_alphabetical_order(bucket: Any, kind: AdapterKind, names: list[str]) -> None:
    assert list_adapter_names(bucket, MODELS, kind) == names


def test_more_names_than_an_error_lists_are_seen(bucket: Any) -> None:
    for index in range(MAX_LISTED_NAMES + 1):
        put(bucket, f"upscalers/{index}.safetensors", b"x")
    assert len(list_adapter_names(bucket, MODELS, UPSCALER)) > MAX_LISTED_NAMES
