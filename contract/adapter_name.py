"""The names of adapters: a file name in any script, without its suffix, and never a path."""

import unicodedata

MAX_LENGTH = 100
_SEPARATORS = "/\\"
_JOINERS = "\u200c\u200d"
"""Format characters that the spelling of some languages and emoji need."""


def normalize_adapter_name(name: str) -> str:
    """The name in Unicode's normal form C, so that equal texts are equal names.

    Raises:
        ValueError: it could be a path, or has characters that are not visible.
    """
    normalized = unicodedata.normalize("NFC", name)
    if len(normalized) > MAX_LENGTH:
        raise ValueError(f"must have at most {MAX_LENGTH} characters in Unicode's normal form C")
    if any(character in _SEPARATORS for character in normalized):
        raise ValueError("must not contain / or \\; give the file's name alone")
    if normalized.startswith("."):
        raise ValueError("must not begin with a dot")
    if normalized != normalized.strip():
        raise ValueError("must not begin or end with a space")
    if not all(map(_is_allowed, normalized)):
        raise ValueError("must not contain control characters, line breaks or invisible characters")
    return normalized


def _is_allowed(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in {
        *("Cc", "Cf", "Cn", "Co", "Cs"),
        *("Zl", "Zp"),
    }
