"""The prompts of a request: refusals, and the texts of each denoiser evaluation."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.generation import InvalidRequestError
from contract.prompts.conjunction import MAX_PROMPTS, WeightedPrompt, split_conjunction
from contract.prompts.prompt import MAX_TEXTS, PromptTexts, hires_prompt
from tests.contract.parsing import parse_errors, resolve, violations_of


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("a cat :1.2", [("a cat :1.2", 1)]),  # without AND, a weight is text
        ("a cat :1.2 AND a dog", [("a cat", 1.2), (" a dog", 1)]),
        ("a AND b:-.5AND c", [("a", 1), (" b:-.5AND c", 1)]),
        ("a AND b : -2. ", [("a", 1), (" b", -2)]),
        ("AND", [("", 1), ("", 1)]),
        ("and BAND ANDY", [("and BAND ANDY", 1)]),
        ("(a:1.3) AND b: c", [("(a:1.3)", 1), (" b: c", 1)]),
    ],
)
def test_and_joins_prompts_with_weights(prompt: str, parts: list[tuple[str, float]]) -> None:
    assert split_conjunction(prompt) == tuple(WeightedPrompt(*part) for part in parts)


@pytest.mark.parametrize(
    ("field", "prompt", "reason"),
    [
        ("prompt", "(a:1e3)", None),  # no number in emphasis, as in the web UI
        ("prompt", "(a:100)", None),
        ("prompt", "(a:100.1)", "gives 'a' the weight 100.1; weights must be between -100 and 100"),
        ("prompt", "((a:-11):11)", "the weight -121"),
        ("prompt", f"(a:{'9' * 400})", "the weight inf"),
        ("prompt", f"((a:{'9' * 400}):0)", "the weight nan"),
        ("prompt", "(" * 60 + "a", "gives 'a' the weight"),
        ("prompt", "(" * 2000, "nested more than 64 levels deep"),
        ("negative_prompt", "(a:101)", "the weight 101"),
        ("prompt", "[a:(b:101):0.9]", "gives 'b' the weight 101"),
        ("prompt", "a AND b:101", "gives 'b' the weight 101"),
        ("prompt", " AND ".join("a" * (MAX_PROMPTS + 1)), f"joins {MAX_PROMPTS + 1} prompts by AND, at most"),
        ("prompt", "[a:b:1e99]", "too large"),
        ("prompt", "a <lora:moon:9>", "must be less than or equal to 4"),
        ("prompt", "<lora:a:1><lora:a:2>", "the LoRA 'a' more than once"),
        ("prompt", "".join(f"<lora:{each}>" for each in "abcdefghi"), "contains 9 LoRAs"),
        ("negative_prompt", "<lora:a:1>", "which only the prompt may contain"),
    ],
)
def test_a_prompt_that_cannot_be_used_is_refused(field: str, prompt: str, reason: str | None) -> None:
    body = {field: prompt}
    if reason is None:
        assert resolve(**body)
    else:
        violations = violations_of(**body)
        assert list(violations) == [f"#/{field}"]
        assert reason in violations[f"#/{field}"]


def test_a_lora_is_named_once_by_prompt_and_field_together() -> None:
    loras = [{"name": "moon"}, {"name": "sun"}]
    assert "which loras contains too" in violations_of(prompt="<lora:moon:1>", loras=loras)["#/prompt"]
    many = [{"name": f"n{index}"} for index in range(8)]
    assert "with those of loras 9" in violations_of(prompt="<lora:moon:1>", loras=many)["#/prompt"]


def test_other_fields_errors_are_reported_together_with_the_prompts() -> None:
    assert set(parse_errors({"prompt": "(a:101)", "quality": 0})) == {"#/prompt", "#/quality"}


def test_the_number_of_texts_is_bounded_over_both_passes() -> None:
    many = "[" + "|".join(f"a{index}" for index in range(MAX_TEXTS + 1)) + "]"
    assert resolve(prompt=many, steps=30, sampler="euler")
    refused = f"more than {MAX_TEXTS} different texts"
    assert refused in violations_of(prompt=many, steps=45, sampler="heun")["#/prompt"]
    hires = {"steps": 50, "strength": 1.0}
    assert refused in violations_of(prompt=many, steps=5, hires=hires, sampler="heun")["#/prompt"]


def stages_of(**body: Any) -> list[tuple[int, str, tuple[str, ...]]]:
    return [
        (each.start, each.texts.negative, each.texts.prompts)
        for each in resolve(**{"steps": 10, "sampler": "euler"} | body).prompt_stages
    ]


def test_stages_begin_where_a_text_changes() -> None:
    assert stages_of(prompt="a") == [(0, "", ("a",))]
    assert stages_of(prompt="[a:b:2]", negative_prompt="[c:d:5]") == [
        (0, "c", ("a",)),
        (3, "c", ("b",)),
        (6, "d", ("b",)),
    ]
    assert stages_of(prompt="x [a:b:0.5] AND y:2") == [(0, "", ("x a", " y")), (6, "", ("x b", " y"))]
    assert stages_of(prompt="a <lora:moon:0.5>") == [(0, "", ("a ",))]


def test_shares_refer_to_the_evaluations_of_second_order_samplers() -> None:
    assert [start for start, *_ in stages_of(prompt="[a:b:0.5]", sampler="heun")] == [0, 11]
    assert [start for start, *_ in stages_of(prompt="[a:b:5]", sampler="heun")] == [0, 6]


def test_loras_of_the_prompt_precede_those_of_the_field() -> None:
    generation = resolve(prompt="a <lora:moon:0.5> <lora:sun>", loras=[{"name": "sea", "weight": 2}])
    assert [(each.name, each.weight) for each in generation.active_loras] == [
        ("moon", 0.5),
        ("sun", 1),
        ("sea", 2),
    ]
    assert [generation.lora_pointer(index) for index in range(3)] == [
        "#/prompt",
        "#/prompt",
        "#/loras/0/name",
    ]


def test_the_hires_pass_keeps_loras_and_and() -> None:
    prompt = "a [b:c:1.5] :2 AND <lora:moon:0.5> [d:0.5]"
    assert hires_prompt(prompt, first_pass=10, second_pass=4) == "a [b:c:2] :2 AND  [:d:0]<lora:moon:0.5>"


@given(
    st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("(:1.2)"), max_size=60).filter(
        lambda text: text.strip() and "[" not in text and "AND" not in text and "<" not in text
    )
)
def test_a_prompt_without_the_syntax_is_its_own_text(prompt: str) -> None:
    try:
        generation = resolve(prompt=prompt)
    except InvalidRequestError as error:
        assert "weight" in str(error)  # noqa: PT017
        return
    assert [stage.texts for stage in generation.prompt_stages] == [PromptTexts("", (prompt,))]
