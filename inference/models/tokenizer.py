"""CLIP's tokenizer, which single files leave out, made of the table of merges that a package brings."""

import gzip
from functools import cache
from importlib.metadata import distribution

from transformers import CLIPTokenizer

VOCABULARY = 49_408
_PACKAGE = "open_clip_torch"
_TABLE = "open_clip/bpe_simple_vocab_16e6.txt.gz"
_SPECIAL = ["<|startoftext|>", "<|endoftext|>"]
_PRINTED = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
_PADDING_OF_OPEN_CLIP = "!"
"""The token with the id 0."""


def clip_tokenizer(*, open_clip: bool) -> CLIPTokenizer:
    """The tokenizer of CLIP, or of OpenCLIP, which fills up with other tokens."""
    vocabulary, merges = _table()
    return CLIPTokenizer(
        vocab=vocabulary,
        merges=list(merges),
        pad_token=_PADDING_OF_OPEN_CLIP if open_clip else _SPECIAL[1],
        model_max_length=77,
    )


@cache
def _table() -> tuple[dict[str, int], tuple[tuple[str, str], ...]]:
    """The ids of the tokens, and the pairs that are merged, the most frequent first."""
    path = distribution(_PACKAGE).locate_file(_TABLE)
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()  # type: ignore[attr-defined]
    letters = [chr(byte) for byte in _PRINTED]
    letters += [chr(256 + number) for number in range(256 - len(letters))]  # for the bytes that do not print
    tokens = letters + [f"{letter}</w>" for letter in letters]
    count = VOCABULARY - len(tokens) - len(_SPECIAL)
    merges = tuple((left, right) for left, right in (line.split() for line in lines[1 : count + 1]))
    tokens += ["".join(pair) for pair in merges] + _SPECIAL
    return {token: number for number, token in enumerate(tokens)}, merges
