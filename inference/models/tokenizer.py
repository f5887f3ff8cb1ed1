"""CLIP's tokenizer for single files, which have none; built from the merges table of open_clip_torch."""

import gzip
from functools import cache
from importlib.metadata import distribution

from transformers import CLIPTokenizer

VOCABULARY_SIZE = 49_408
_PACKAGE = "open_clip_torch"
_MERGES_FILE = "open_clip/bpe_simple_vocab_16e6.txt.gz"
_SPECIAL_TOKENS = ["<|startoftext|>", "<|endoftext|>"]
_PRINTABLE = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
_OPEN_CLIP_PADDING = "!"
"""The token with the id 0."""


def clip_tokenizer(*, open_clip: bool) -> CLIPTokenizer:
    """The tokenizer of OpenAI's CLIP, or of OpenCLIP, which has another padding token."""
    vocabulary, merges = _vocabulary_and_merges()
    return CLIPTokenizer(
        vocab=vocabulary,
        merges=list(merges),
        pad_token=_OPEN_CLIP_PADDING if open_clip else _SPECIAL_TOKENS[1],
        model_max_length=77,
    )


@cache
def _vocabulary_and_merges() -> tuple[dict[str, int], tuple[tuple[str, str], ...]]:
    """Token to id, and the byte-pair merges, most frequent first."""
    path = distribution(_PACKAGE).locate_file(_MERGES_FILE)
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()  # type: ignore[attr-defined]
    letters = [chr(byte) for byte in _PRINTABLE]
    letters += [chr(256 + number) for number in range(256 - len(letters))]  # stand for non-printable bytes
    tokens = letters + [f"{letter}</w>" for letter in letters]
    count = VOCABULARY_SIZE - len(tokens) - len(_SPECIAL_TOKENS)
    merges = tuple((left, right) for left, right in (line.split() for line in lines[1 : count + 1]))
    tokens += ["".join(pair) for pair in merges] + _SPECIAL_TOKENS
    return {token: number for number, token in enumerate(tokens)}, merges
