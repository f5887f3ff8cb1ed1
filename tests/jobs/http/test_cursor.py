import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.http.cursor import InvalidCursorError, decode_cursor, encode_cursor

ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
OLD, NEW = b"old secret", b"new secret"
SCOPE = ("key:a", "queued", None, None)
CURSOR = encode_cursor(ID, secrets=[OLD], scope=SCOPE)

scopes = st.tuples(*[st.none() | st.text()] * 4)


@given(scopes)
def test_a_cursor_contains_the_id(scope: tuple[str | None, ...]) -> None:
    cursor = encode_cursor(ID, secrets=[NEW, OLD], scope=scope)
    assert decode_cursor(cursor, secrets=[NEW, OLD], scope=scope) == ID
    assert ID not in cursor


def test_a_cursor_is_valid_after_a_rotation_of_the_secret_and_not_after_two() -> None:
    assert decode_cursor(CURSOR, secrets=[NEW, OLD], scope=SCOPE) == ID
    with pytest.raises(InvalidCursorError):
        decode_cursor(CURSOR, secrets=[b"newest secret", NEW], scope=SCOPE)


@given(scopes.filter(lambda scope: scope != SCOPE))
def test_a_cursor_is_not_valid_for_another_caller_or_other_filters(scope: tuple[str | None, ...]) -> None:
    with pytest.raises(InvalidCursorError):
        decode_cursor(CURSOR, secrets=[OLD], scope=scope)


@given(st.integers(0, len(CURSOR) - 1), st.characters())
def test_a_cursor_with_another_character_is_refused(index: int, character: str) -> None:
    damaged = CURSOR[:index] + character + CURSOR[index + 1 :]
    if damaged != CURSOR:
        with pytest.raises(InvalidCursorError):
            decode_cursor(damaged, secrets=[OLD], scope=SCOPE)


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursorError) as caught:
        decode_cursor(text, secrets=[OLD], scope=SCOPE)
    assert caught.value.errors[0].pointer == "#/cursor"


@pytest.mark.parametrize("tail", ["=", "==", "A", "\n", " "])
def test_a_cursor_has_one_spelling(tail: str) -> None:
    with pytest.raises(InvalidCursorError):
        decode_cursor(CURSOR + tail, secrets=[OLD], scope=SCOPE)
