"""LoRAs in prompts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.options import Lora
from contract.prompts.errors import PromptError
from contract.prompts.lora_tags import split_tags, tag_of

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("prompt", "text", "loras"),
    [
        ("a <lora:moon:0.8> b", "a  b", [("moon", 0.8)]),
        ("<lora:moon>", "", [("moon", 1)]),
        ("<lyco:moon:-1>", "", [("moon", -1)]),
        ("a<lora:x:.5><lora:y: 2 >", "a", [("x", 0.5), ("y", 2)]),
        ("<lora:x:0.5:0.5>", "", [("x", 0.5)]),
        ("<lora:x:te=0.5:unet=0.5>", "", [("x", 0.5)]),
        ("[<lora:x:1>a:b:0.5]", "[a:b:0.5]", [("x", 1)]),
        ("a <b> <3 <lora> <sks:1> :>", "a <b> <3 <lora> <sks:1> :>", []),
    ],
)
def test_tags_are_taken_out_of_the_prompt(prompt: str, text: str, loras: list[tuple[str, float]]) -> None:
    tagged = split_tags(prompt)
    assert tagged.text == text
    assert [(each.name, each.weight) for each in tagged.loras] == loras


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("<lora:moon:9>", "weight: must be less than or equal to 4"),
        ("<lora:moon:nan>", "whose weight is not a number"),
        ("<lora:moon:inf>", "whose weight is not a number"),
        ("<lora:moon:1e999>", "too large"),
        ("<lora:moon:>", "whose weight is not a number"),
        ("<lora::1>", "name: "),
        ("<lora:../moon:1>", "name: "),
        ("<lora:moon:0.5:0.8>", "different weights for text encoder and UNet"),
        ("<lora:moon:0.5:0.5:8>", "options other than a weight"),
        ("<lora:moon:dyn=8>", "options other than a weight"),
        ("<LoRA:moon:1>", "write lora in lower-case letters"),
        ("<hypernet:moon:1>", "hypernetworks are not supported"),
        ("<lora<lora:a:1>:b:1>", "inside another one"),
    ],
)
def test_a_tag_that_cannot_be_applied_is_refused(prompt: str, reason: str) -> None:
    with pytest.raises(PromptError, match=reason):
        split_tags(prompt)


@pytest.mark.parametrize("name", ["style (v2) 月", "a=b", "te=1", "[x|y]", "a AND b", "e\u0301t\u00e9"])
def test_names_of_files_can_be_written_in_tags(name: str) -> None:
    lora = Lora(name=name, weight=0.5)
    assert split_tags(f"a {tag_of(lora)} b").loras == (lora,)
    assert split_tags(f"a <lora:{name}:0.5>").text == "a "


@pytest.mark.parametrize("name", ["a:b", "a<b", "a>b"])
def test_names_with_the_marks_of_tags_cannot(name: str) -> None:
    assert tag_of(Lora(name=name)) is None


@given(NAMES, st.floats(-4, 4))
def test_the_tag_of_a_lora_has_its_name_and_its_exact_weight(name: str, weight: float) -> None:
    lora = Lora(name=name, weight=weight)
    tag = tag_of(lora)
    assert tag is not None
    assert split_tags(f"a {tag}").loras == (lora,)
    assert split_tags(f"a {tag}").text == "a "
