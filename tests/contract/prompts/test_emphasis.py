"""Parsing of the web UI's prompt syntax."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.prompts.emphasis import WeightedText, parse_prompt

ROUND, SQUARE = 1.1, 1 / 1.1
PROMPTS = st.text(st.sampled_from("ab ,:.1-()[]\\\n") | st.characters(), max_size=60) | st.lists(
    st.sampled_from(["BREAK", " BREAK ", "(", ")", "[", "]", ":1.3)", ":.)", "\\", "word", " ", ","])
).map("".join)


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("", [("", 1)]),
        ("a word", [("a word", 1)]),
        ("a (word)", [("a ", 1), ("word", ROUND)]),
        ("a (word:1.3) more", [("a ", 1), ("word", 1.3), (" more", 1)]),
        ("a [word]", [("a ", 1), ("word", SQUARE)]),
        ("((word))", [("word", ROUND * ROUND)]),
        ("([word])", [("word", SQUARE * ROUND)]),
        ("(a (b:2) c:3)", [("a ", 3), ("b", 6), (" c", 3)]),
        ("(a: 1.5 )", [("a", 1.5)]),
        ("(a:-.5)", [("a", -0.5)]),
        ("(a:2.)", [("a", 2)]),
        ("(a:0)b", [("a", 0), ("b", 1)]),
        (r"\(a\) \[b\] \\", [(r"(a) [b] " + "\\", 1)]),
        (r"(a \(b\):1.2)", [("a (b)", 1.2)]),
        ("a\\b", [("ab", 1)]),
        ("a (b", [("a ", 1), ("b", ROUND)]),
        ("a [[(b", [("a ", 1), ("b", ROUND * SQUARE * SQUARE)]),
        ("a) b] c:1.2)", [("a) b] c:1.2)", 1)]),
        ("(a:1.2.3)", [("a:1.2.3", ROUND)]),
        ("(a:b)", [("a:b", ROUND)]),
        ("[a:1.2]", [("a:1.2", SQUARE)]),
        ("ratio 3:2", [("ratio 3:2", 1)]),
        ("()", [("", 1)]),
        ("(:2)a", [("a", 1)]),
        ("(word:1.0)", [("word", 1)]),
        ("a (re:1)d", [("a red", 1)]),
        ("([)a]", [("a", SQUARE)]),
    ],
)
def test_a_prompt_is_parsed_as_in_the_web_ui(prompt: str, texts: list[tuple[str, float]]) -> None:
    assert parse_prompt(prompt) == (tuple(WeightedText(*text) for text in texts),)


@pytest.mark.parametrize(
    ("prompt", "segments"),
    [
        ("a BREAK b", ["a", "b"]),
        ("a\nBREAK\nb BREAK c", ["a", "b", "c"]),
        ("a,BREAK,b", ["a,", ",b"]),
        ("BREAK a BREAK", ["", "a", ""]),
        ("a BREAK BREAK b", ["a", "", "b"]),
        ("break BREAKS BREAK_ aBREAK", ["break BREAKS BREAK_ aBREAK"]),
    ],
)
def test_the_word_break_begins_a_new_segment(prompt: str, segments: list[str]) -> None:
    assert parse_prompt(prompt) == tuple((WeightedText(text),) for text in segments)


def test_a_weight_applies_on_both_sides_of_a_break() -> None:
    assert parse_prompt("(a BREAK b:2) c") == (
        (WeightedText("a", 2),),
        (WeightedText("b", 2), WeightedText(" c", 1)),
    )


@given(PROMPTS)
def test_every_text_can_be_parsed_and_adjacent_weights_differ(prompt: str) -> None:
    segments = parse_prompt(prompt)
    assert segments
    for segment in segments:
        assert segment
        weights = [text.weight for text in segment]
        assert all(left != right for left, right in pairwise(weights))


@given(st.text(max_size=60).filter(lambda text: not set(text) & set("()[]\\") and "BREAK" not in text))
def test_text_without_syntax_is_unchanged(prompt: str) -> None:
    assert parse_prompt(prompt) == ((WeightedText(prompt),),)


@given(st.text(max_size=60).filter(lambda text: "BREAK" not in text))
def test_escaped_brackets_are_literal(prompt: str) -> None:
    escaped = "".join("\\" + each if each in "()[]\\" else each for each in prompt)
    assert parse_prompt(escaped) == ((WeightedText(prompt),),)


@given(st.text(max_size=20), st.text(st.characters(exclude_characters="()[]\\"), min_size=1, max_size=20))
def test_a_weight_of_one_is_neutral(before: str, word: str) -> None:
    plain = before.translate(str.maketrans("()[]\\", "     "))
    assert parse_prompt(f"{plain} ({word}:1.0)") == parse_prompt(f"{plain} {word}")


@given(st.integers(1, 12), st.sampled_from([("(", ")", ROUND), ("[", "]", SQUARE)]))
def test_nested_weights_multiply(depth: int, bracket: tuple[str, str, float]) -> None:
    left, right, weight = bracket
    ((text,),) = parse_prompt(left * depth + "word" + right * depth)
    assert text.weight == pytest.approx(weight**depth)
    assert parse_prompt(left * depth + "word") == ((text,),)
