"""The names of the adapters that objects belong to."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contract.adapters import ADAPTER_KINDS, CONTROLNET, EMBEDDING, LORA, UPSCALER, VAE, AdapterKind
from contract.options import AdapterName

NAMES: TypeAdapter[str] = TypeAdapter(AdapterName)


def name_of(kind: AdapterKind, path: str) -> str | None:
    """The name of the adapter with a file, whose path is relative to the kind's prefix."""
    place = kind.place_of(f"{kind.prefix}{path}")
    return place and place.name


@pytest.mark.parametrize(
    ("kind", "path", "name"),
    [
        (LORA, "moon.safetensors", "moon"),
        (LORA, "moon.v2.safetensors", "moon.v2"),
        (
            LORA,
            "style (v2) \N{CJK UNIFIED IDEOGRAPH-6708}.safetensors",
            "style (v2) \N{CJK UNIFIED IDEOGRAPH-6708}",
        ),
        (EMBEDDING, "cat.pt", "cat"),
        (EMBEDDING, "cat.bin", "cat"),
        (CONTROLNET, "canny/config.json", "canny"),
        (CONTROLNET, "canny/a/b.safetensors", "canny"),
        (CONTROLNET, "canny/", "canny"),
        (CONTROLNET, "canny.pth", "canny"),
        (VAE, "clear.ckpt", "clear"),
        (VAE, "clear.safetensors/config.json", "clear.safetensors"),
        (UPSCALER, "twice.pth", "twice"),
    ],
)
def test_the_adapter_of_an_object_has_the_name_that_requests_use(
    kind: AdapterKind, path: str, name: str
) -> None:
    assert name_of(kind, path) == name


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (LORA, ""),
        (LORA, "moon.pt"),
        (LORA, "moon.SAFETENSORS"),
        (LORA, "notes.txt"),
        (LORA, "moon/moon.safetensors"),
        (LORA, ".safetensors"),
        (LORA, ".hidden.safetensors"),
        (LORA, "moon .safetensors"),
        (LORA, "a\\b.safetensors"),
        (LORA, "a\nb.safetensors"),
        (LORA, f"{'x' * 101}.safetensors"),
        (CONTROLNET, "/config.json"),
        (CONTROLNET, "README"),
        (UPSCALER, "lanczos.safetensors"),
    ],
)
def test_an_object_that_no_request_can_name_belongs_to_no_adapter(kind: AdapterKind, path: str) -> None:
    assert name_of(kind, path) is None


def test_a_name_in_either_normal_form_is_the_same_name() -> None:
    composed = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    decomposed = unicodedata.normalize("NFD", composed)
    for form in (composed, decomposed):
        assert name_of(LORA, f"{form}.safetensors") == composed


def test_a_name_in_no_normal_form_is_not_found() -> None:
    """A request looks for the two normal forms only."""
    mixed = "\N{LATIN SMALL LETTER E WITH ACUTE}e\N{COMBINING ACUTE ACCENT}"
    assert name_of(LORA, f"{mixed}.safetensors") is None


def test_requests_find_a_composed_name_first_and_then_the_preferred_suffix() -> None:
    composed = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    decomposed = unicodedata.normalize("NFD", composed)
    paths = (
        f"{composed}/config.json",
        f"{composed}.safetensors",
        f"{composed}.bin",
        f"{decomposed}/config.json",
    )
    places = [VAE.place_of(f"{VAE.prefix}{path}") for path in paths]
    ranks = [place.rank for place in places if place]
    assert len(ranks) == len(paths)
    assert ranks == sorted(set(ranks))


@given(st.sampled_from(ADAPTER_KINDS), st.text(), st.sampled_from(["/", ".safetensors", ".pt", ""]))
def test_every_name_is_valid_in_requests(kind: AdapterKind, stem: str, suffix: str) -> None:
    name = name_of(kind, stem + suffix)
    if name is not None:
        assert NAMES.validate_python(name) == name


@given(st.text(min_size=1).filter(lambda text: "/" not in text and text != "lanczos"))
def test_every_valid_name_is_the_one_of_its_files(text: str) -> None:
    try:
        name = NAMES.validate_python(text)
    except ValidationError:
        return
    for kind in ADAPTER_KINDS:
        for suffix in kind.suffixes:
            assert name_of(kind, name + suffix) == name
