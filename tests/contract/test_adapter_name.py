"""Names of adapters: any script, and never a path."""

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contract.adapter_name import MAX_LENGTH
from contract.options import AdapterName

NAMES: TypeAdapter[str] = TypeAdapter(AdapterName)


@pytest.mark.parametrize(
    "name",
    [
        "moon",
        "style (v2) 月",
        "[fp16] ink & wash, 50%",
        "a",
        "v1.5",
        "_x",
        "Ωmega",
        "\u0645\u06cc\u200c\u062e",
        "\U0001f469\u200d\U0001f3a8",
        "x" * MAX_LENGTH,
    ],
)
def test_names_of_any_script_are_accepted(name: str) -> None:
    assert NAMES.validate_python(name) == name


def test_a_name_has_one_spelling() -> None:
    assert NAMES.validate_python("Cafe\u0301") == NAMES.validate_python("Caf\u00e9") == "Caf\u00e9"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "at least 1 character"),
        ("x" * (MAX_LENGTH + 1), "at most 100 characters"),
        ("\u0958" * MAX_LENGTH, "normal form C"),
        ("a/b", "must not contain /"),
        ("a\\b", "must not contain /"),
        ("..", "must not begin with a dot"),
        (".hidden", "must not begin with a dot"),
        (" a", "must not begin or end with a space"),
        ("a\u3000", "must not begin or end with a space"),
        ("a\nb", "control characters"),
        ("a\x00b", "control characters"),
        ("a\u202eb", "invisible characters"),
        ("a\u2028b", "line breaks"),
        ("\ud800", "valid string"),
    ],
)
def test_other_names_are_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        NAMES.validate_python(name)


@given(st.text(min_size=1, max_size=MAX_LENGTH))
def test_a_name_is_one_part_of_a_path_and_of_an_address(text: str) -> None:
    try:
        name = NAMES.validate_python(text)
    except ValidationError:
        return
    assert unicodedata.is_normalized("NFC", name)
    assert NAMES.validate_python(name) == name
    assert PurePosixPath("adapters", f"{name}.safetensors").parent == PurePosixPath("adapters")
    assert PurePosixPath("adapters", name).parts == ("adapters", name)
    assert PureWindowsPath("adapters", f"x{name}").name == f"x{name}" or ":" in name
    assert unquote(quote(name, safe="")) == name
