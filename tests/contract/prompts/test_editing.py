"""Prompt editing, compared with the examples of the web UI and with its grammar's rules."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.prompts.editing import EditedPrompt, second_pass_text
from contract.prompts.errors import MAX_NESTING, PromptError

SYNTAX = st.lists(
    st.sampled_from(["[", "]", "(", ")", ":", "|", "0.5", "3", " ", "word", "\\", "\n", "."]), max_size=40
).map("".join)


def schedule_of(prompt: str, steps: int = 10) -> list[list[object]]:
    """The texts as the web UI lists them, each with its last step.

    It counts steps from 1, and evaluations, which select a text, from 0: evaluation 0 has that of step 1.
    """
    whole = not re.search(r"\.\d", prompt.replace("1.1", ""))
    evaluations = list(EditedPrompt(prompt).texts(steps + whole))
    by_step = evaluations[1:] if whole else [*evaluations[1:], evaluations[-1]]
    schedule: list[list[object]] = []
    for step, text in enumerate(by_step, 1):
        if schedule and schedule[-1][1] == text:
            schedule[-1][0] = step
        else:
            schedule.append([step, text])
    return schedule


ALTERNATING = [[step, "(b:1.1)" if step % 2 == 0 else "a"] for step in range(1, 11)]


@pytest.mark.parametrize(
    ("prompt", "schedule"),
    [
        ("test", [[10, "test"]]),
        ("a [b:3]", [[3, "a "], [10, "a b"]]),
        ("a [b: 3]", [[3, "a "], [10, "a b"]]),
        ("a [[[b]]:2]", [[2, "a "], [10, "a [[b]]"]]),
        ("[(a:2):3]", [[3, ""], [10, "(a:2)"]]),
        ("a [b : c : 1] d", [[1, "a b  d"], [10, "a  c  d"]]),
        ("a[b:[c:d:2]:1]e", [[1, "abe"], [2, "ace"], [10, "ade"]]),
        ("a [unbalanced", [[10, "a [unbalanced"]]),
        ("a [b:.5] c", [[5, "a  c"], [10, "a b c"]]),
        ("((a][:b:c [d:3]", [[3, "((a][:b:c "], [10, "((a][:b:c d"]]),
        ("[a|(b:1.1)]", ALTERNATING),
        ("[fe|]male", [[step, "male" if step % 2 == 0 else "female"] for step in range(1, 11)]),
        (
            "[fe|||]male",
            [[1, "female"], [4, "male"], [5, "female"], [8, "male"], [9, "female"], [10, "male"]],
        ),
    ],
)
def test_the_examples_of_the_web_ui(prompt: str, schedule: list[list[object]]) -> None:
    assert schedule_of(prompt) == schedule


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("[a:b:2]", ["a", "a", "a", "b"]),  # evaluations count from 0, and 2 is still within step 2
        ("[a:b:0.5]", ["a", "a", "a", "b"]),
        ("[a::0.25]", ["a", "a", "", ""]),
        ("[a:b:1.0]", ["a"] * 4),
        ("[a:b:1]", ["a", "a", "b", "b"]),
        ("[a:b:0]", ["b"] * 4),
        ("[a:b:-1]", ["b"] * 4),
        ("[a:b:0.1]", ["b"] * 4),
        ("[a:b:99]", ["a"] * 4),
        ("[a:b:+.5e0]", ["a", "a", "a", "b"]),
        ("[a|b]", ["a", "a", "b", "a"]),
        ("[[a|b]:c:2]", ["a", "a", "b", "c"]),
        ("[a|[b:c:2]]", ["a", "a", "b", "a"]),
        ("(x [a:b:2]:1.3)", ["(x a:1.3)"] * 3 + ["(x b:1.3)"]),
        ("[a:[b|c]:1]", ["a", "a", "c", "b"]),
    ],
)
def test_each_evaluation_has_the_text_that_the_web_ui_uses(prompt: str, texts: list[str]) -> None:
    assert list(EditedPrompt(prompt).texts(4)) == texts


@pytest.mark.parametrize(
    "prompt",
    [
        "[word]",
        "[a:b]",
        "[a:b:c]",
        "[a:b:c:0.5]",
        "[a|b:0.5]",
        "(a|b)",
        "[a (b:0.5]",
        "(a [b) c:0.5]",
        "[a (x:y:z):0.5]",
        "[[a:b] c:0.5]",
        r"\[a:b:0.5\]",
        r"[a\:0.5]",
        r"[a|b\]",
        "a:0.5] b|c",
        "[a:0.5.5]",
        "[a:0x1]",
        "[a:(0.5)]",
    ],
)
def test_brackets_without_a_form_are_left_to_emphasis(prompt: str) -> None:
    edited = EditedPrompt(prompt)
    assert not edited.is_edited
    assert set(edited.texts(7)) == {prompt}


@given(SYNTAX)
def test_every_prompt_has_a_text_for_each_evaluation(prompt: str) -> None:
    edited = EditedPrompt(prompt)
    texts = list(edited.texts(6))
    assert len(texts) == 6
    if not edited.is_edited:
        assert set(texts) == {prompt}


@given(st.text(max_size=60).filter(lambda text: "[" not in text))
def test_a_prompt_without_square_brackets_is_unchanged(prompt: str) -> None:
    assert set(EditedPrompt(prompt).texts(3)) == {prompt}


def test_nesting_is_bounded() -> None:
    assert EditedPrompt("[" * MAX_NESTING + "a" + ":0.5]" * MAX_NESTING).is_edited
    with pytest.raises(PromptError, match=f"nested more than {MAX_NESTING} levels deep"):
        EditedPrompt("[" * (MAX_NESTING + 1))


def test_numbers_are_bounded() -> None:
    for when in ("9" * 400, "1e9", "-1e999", "1.0e300"):
        with pytest.raises(PromptError, match="too large; lower it"):
            EditedPrompt(f"[a:b:{when}]")


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("[a:b:0.5]", ["b"] * 4),
        ("[a:b:1.5]", ["a", "a", "a", "b"]),
        ("[a:b:22]", ["a", "a", "a", "b"]),
        ("[a:b:20]", ["b"] * 4),
        ("[a|b]", ["a", "a", "b", "a"]),
        ("x [[a|b]:c:1.25]", ["x a", "x a", "x c", "x c"]),
    ],
)
def test_the_hires_pass_has_shares_from_one_and_steps_beyond_the_first_pass(
    prompt: str, texts: list[str]
) -> None:
    changed = second_pass_text(prompt, first_pass=20, second_pass=4)
    assert list(EditedPrompt(changed).texts(4)) == texts


@given(SYNTAX)
def test_the_hires_pass_keeps_a_prompt_without_editing(prompt: str) -> None:
    if not EditedPrompt(prompt).is_edited:
        assert second_pass_text(prompt, first_pass=20, second_pass=4) == prompt
