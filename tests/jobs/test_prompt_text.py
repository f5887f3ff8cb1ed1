"""The text of prompts that jobs are found by."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from jobs.prompt_text import SEARCHED_CHARACTERS, folded, searched


@given(st.text())
def test_folded_text_is_the_same_for_all_forms_of_a_text(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    for form in ("NFC", "NFD"):
        assert folded(unicodedata.normalize(form, text)) == folded(text)  # type: ignore[arg-type]
    assert folded(text.casefold()) == folded(text)


@given(st.text(alphabet="a\N{LATIN SMALL LETTER SHARP S}\N{LATIN SMALL LIGATURE FFI}", max_size=1500))
def test_the_searched_text_is_bounded(prompt: str) -> None:
    assert len(searched(prompt)) <= SEARCHED_CHARACTERS
    assert folded(prompt).startswith(searched(prompt))
