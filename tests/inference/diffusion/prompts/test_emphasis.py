"""How a prompt's emphasis is read."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.diffusion.prompts.emphasis import Fragment, read

UP, DOWN = 1.1, 1 / 1.1
PROMPTS = st.text(st.sampled_from("ab ,:.1-()[]\\\n") | st.characters(), max_size=60) | st.lists(
    st.sampled_from(["BREAK", " BREAK ", "(", ")", "[", "]", ":1.3)", ":.)", "\\", "word", " ", ","])
).map("".join)


@pytest.mark.parametrize(
    ("prompt", "fragments"),
    [
        ("", [("", 1)]),
        ("a word", [("a word", 1)]),
        ("a (word)", [("a ", 1), ("word", UP)]),
        ("a (word:1.3) more", [("a ", 1), ("word", 1.3), (" more", 1)]),
        ("a [word]", [("a ", 1), ("word", DOWN)]),
        ("((word))", [("word", UP * UP)]),
        ("([word])", [("word", DOWN * UP)]),
        ("(a (b:2) c:3)", [("a ", 3), ("b", 6), (" c", 3)]),
        ("(a: 1.5 )", [("a", 1.5)]),
        ("(a:-.5)", [("a", -0.5)]),
        ("(a:2.)", [("a", 2)]),
        ("(a:0)b", [("a", 0), ("b", 1)]),
        (r"\(a\) \[b\] \\", [(r"(a) [b] " + "\\", 1)]),
        (r"(a \(b\):1.2)", [("a (b)", 1.2)]),
        ("a\\b", [("ab", 1)]),
        ("a (b", [("a ", 1), ("b", UP)]),
        ("a [[(b", [("a ", 1), ("b", UP * DOWN * DOWN)]),
        ("a) b] c:1.2)", [("a) b] c:1.2)", 1)]),
        ("(a:1.2.3)", [("a:1.2.3", UP)]),
        ("(a:b)", [("a:b", UP)]),
        ("[a:1.2]", [("a:1.2", DOWN)]),
        ("ratio 3:2", [("ratio 3:2", 1)]),
        ("()", [("", 1)]),
        ("(:2)a", [("a", 1)]),
        ("(word:1.0)", [("word", 1)]),
        ("a (re:1)d", [("a red", 1)]),
        ("([)a]", [("a", DOWN)]),
    ],
)
def test_a_prompt_is_read_as_the_web_ui_reads_it(prompt: str, fragments: list[tuple[str, float]]) -> None:
    assert read(prompt) == (tuple(Fragment(*fragment) for fragment in fragments),)


@pytest.mark.parametrize(
    ("prompt", "sections"),
    [
        ("a BREAK b", ["a", "b"]),
        ("a\nBREAK\nb BREAK c", ["a", "b", "c"]),
        ("a,BREAK,b", ["a,", ",b"]),
        ("BREAK a BREAK", ["", "a", ""]),
        ("a BREAK BREAK b", ["a", "", "b"]),
        ("break BREAKS BREAK_ aBREAK", ["break BREAKS BREAK_ aBREAK"]),
    ],
)
def test_break_as_a_word_of_its_own_begins_another_section(prompt: str, sections: list[str]) -> None:
    assert read(prompt) == tuple((Fragment(text),) for text in sections)


def test_brackets_reach_over_a_break() -> None:
    assert read("(a BREAK b:2) c") == ((Fragment("a", 2),), (Fragment("b", 2), Fragment(" c", 1)))


@given(PROMPTS)
def test_every_text_can_be_read(prompt: str) -> None:
    sections = read(prompt)
    assert sections
    for section in sections:
        assert section
        weights = [fragment.weight for fragment in section]
        assert all(left != right for left, right in pairwise(weights))


@given(st.text(max_size=60).filter(lambda text: not set(text) & set("()[]\\") and "BREAK" not in text))
def test_text_without_marks_comes_back_as_it_is(prompt: str) -> None:
    assert read(prompt) == ((Fragment(prompt),),)


@given(st.text(max_size=60).filter(lambda text: "BREAK" not in text))
def test_escaped_text_comes_back_as_it_is(prompt: str) -> None:
    escaped = "".join("\\" + each if each in "()[]\\" else each for each in prompt)
    assert read(escaped) == ((Fragment(prompt),),)


@given(st.text(max_size=20), st.text(st.characters(exclude_characters="()[]\\"), min_size=1, max_size=20))
def test_a_weight_of_one_is_none(before: str, word: str) -> None:
    plain = before.translate(str.maketrans("()[]\\", "     "))
    assert read(f"{plain} ({word}:1.0)") == read(f"{plain} {word}")


@given(st.integers(1, 12), st.sampled_from([("(", ")", UP), ("[", "]", DOWN)]))
def test_nesting_multiplies(depth: int, kind: tuple[str, str, float]) -> None:
    left, right, weight = kind
    ((fragment,),) = read(left * depth + "word" + right * depth)
    assert fragment.weight == pytest.approx(weight**depth)
    assert read(left * depth + "word") == ((fragment,),)
