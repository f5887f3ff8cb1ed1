"""The text of prompts that jobs are found by."""

import unicodedata

SEARCHED_CHARACTERS = 1000
"""Of a prompt; bounds the size of the index that lists read."""


def folded(text: str) -> str:
    """The text in a form that is equal for texts that differ in case, or in the forms of their characters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def searched(prompt: str) -> str:
    """The part of a prompt, folded, that is searched."""
    return folded(prompt)[:SEARCHED_CHARACTERS]
