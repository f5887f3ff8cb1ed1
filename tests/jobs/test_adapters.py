"""The list of adapters, with objects in memory."""

import time
import unicodedata
from datetime import timedelta

import pytest

from jobs.adapters import Adapter, AdapterCatalog, AdapterType
from jobs.errors import AdaptersUnavailableError
from tests.jobs.fakes import NOW, InMemoryAdapterObjects

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def objects() -> InMemoryAdapterObjects:
    return InMemoryAdapterObjects()


def all_of(objects: InMemoryAdapterObjects, kind: AdapterType | None = None) -> tuple[Adapter, ...]:
    page = AdapterCatalog(objects).list(kind, limit=1000)
    assert page.is_last
    return page.adapters


def names(objects: InMemoryAdapterObjects, kind: AdapterType | None = None) -> list[tuple[str, str]]:
    return [(each.kind.value, each.name) for each in all_of(objects, kind)]


def test_adapters_are_sorted_by_kind_and_by_name_without_regard_to_case(
    objects: InMemoryAdapterObjects,
) -> None:
    for path in (
        "upscalers/a.pth",
        "vaes/a.pt",
        "loras/b.safetensors",
        "loras/C.safetensors",
        "loras/a b.safetensors",
        "loras/a.safetensors",
        "controlnets/a/config.json",
        "embeddings/a.bin",
        "safety_checkers/a/x",
    ):
        objects.put(f"adapters/{path}")
    expected = [
        ("lora", "a"),
        ("lora", "a b"),
        ("lora", "b"),
        ("lora", "C"),
        ("embedding", "a"),
        ("controlnet", "a"),
        ("vae", "a"),
        ("upscaler", "a"),
    ]
    assert names(objects) == expected
    assert names(objects, AdapterType.LORA) == expected[:4]


def test_a_directory_is_one_adapter_with_the_size_of_its_files(objects: InMemoryAdapterObjects) -> None:
    objects.put("adapters/controlnets/canny/config.json", 2, LATER)
    objects.put("adapters/controlnets/canny/model.safetensors", 5)
    assert all_of(objects) == (Adapter(kind=AdapterType.CONTROLNET, name="canny", size=7, modified_at=LATER),)


def test_a_name_with_two_suffixes_is_the_file_that_requests_find(objects: InMemoryAdapterObjects) -> None:
    objects.put("adapters/embeddings/cat.bin", 1)
    objects.put("adapters/embeddings/cat.safetensors", 2)
    objects.put("adapters/embeddings/cat.pt", 3)
    assert [(each.name, each.size) for each in all_of(objects)] == [("cat", 2)]


def test_a_name_in_both_normal_forms_is_one_adapter_in_the_composed_form(
    objects: InMemoryAdapterObjects,
) -> None:
    composed = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    objects.put(f"adapters/loras/{unicodedata.normalize('NFD', composed)}.safetensors", 1)
    assert [(each.name, each.size) for each in all_of(objects)] == [(composed, 1)]
    objects.put(f"adapters/loras/{composed}.safetensors", 2)
    assert [(each.name, each.size) for each in all_of(objects)] == [(composed, 2)]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_continue_after_any_adapter(objects: InMemoryAdapterObjects, limit: int) -> None:
    for name in ("a", "A", "b"):
        objects.put(f"adapters/loras/{name}.safetensors")
        objects.put(f"adapters/upscalers/{name}.pth")
    catalog, after, found = AdapterCatalog(objects), None, []
    while True:
        page = catalog.list(None, limit=limit, after=after)
        assert 0 < len(page.adapters) <= limit
        found += page.adapters
        after = page.adapters[-1].position
        if page.is_last:
            break
    assert tuple(found) == all_of(objects)


def test_a_page_continues_where_its_last_adapter_was_deleted(objects: InMemoryAdapterObjects) -> None:
    for name in "abc":
        objects.put(f"adapters/loras/{name}.safetensors")
    after = AdapterCatalog(objects).list(None, limit=2).adapters[-1].position
    del objects.objects[1]
    assert [each.name for each in AdapterCatalog(objects).list(None, limit=2, after=after).adapters] == ["c"]


def test_a_kind_is_read_when_a_page_needs_it(objects: InMemoryAdapterObjects) -> None:
    for name in "ab":
        objects.put(f"adapters/loras/{name}.safetensors")
    AdapterCatalog(objects).list(None, limit=1)
    assert objects.listed == ["adapters/loras/"]


def test_the_list_is_read_again_after_half_a_minute(objects: InMemoryAdapterObjects) -> None:
    begun = time.monotonic()
    now = [begun]
    catalog = AdapterCatalog(objects, clock=lambda: now[0])
    for after, count in ((0.0, 1), (29.5, 1), (30.5, 2)):
        now[0] = begun + after
        catalog.list(AdapterType.LORA, limit=1)
        assert len(objects.listed) == count


def test_a_failed_listing_is_not_kept(objects: InMemoryAdapterObjects) -> None:
    catalog = AdapterCatalog(objects)
    objects.unavailable = True
    with pytest.raises(AdaptersUnavailableError):
        catalog.list(None, limit=1)
    objects.unavailable = False
    assert catalog.list(None, limit=1).is_last
