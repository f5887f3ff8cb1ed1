"""Tokenization of prompts, with the names of textual inversions."""

from collections.abc import Iterator
from typing import Any

from contract.prompts.emphasis import PromptSegment, WeightedText
from inference.diffusion.prompts.chunks import TokenGroup, WeightedToken
from inference.diffusion.prompts.text_encoder import END_OF_WORD
from inference.diffusion.prompts.textual_inversion import TextualInversions


class PromptTokenizer:
    """A tokenizer that replaces the names of textual inversions by their vectors.

    As in the web UI, names are matched token by token: whole words only, and regardless of case, because
    CLIP's tokenizers lowercase their input. If several names match at a token, the longest is used.
    """

    def __init__(self, tokenizer: Any, inversions: TextualInversions) -> None:
        self._tokenizer = tokenizer
        names = [(self._ids(name), vectors) for name, vectors in inversions.items()]
        self._names = sorted(names, key=lambda each: len(each[0]), reverse=True)

    def tokenize(self, segment: PromptSegment) -> list[TokenGroup]:
        """The segment's tokens; the vectors of a textual inversion are one group."""
        return [group for text in segment for group in self._groups(text)]

    def _groups(self, text: WeightedText) -> Iterator[TokenGroup]:
        ids, position = self._ids(text.text), 0
        while position < len(ids):
            for name, vectors in self._names:
                if ids[position : position + len(name)] == name and self._ends_word(ids[:position]):
                    # any token but EOS, at which CLIP pools its output
                    placeholder = self._tokenizer.bos_token_id
                    yield tuple(WeightedToken(placeholder, text.weight, vector) for vector in vectors)
                    position += len(name)
                    break
            else:
                yield (WeightedToken(ids[position], text.weight),)
                position += 1

    def _ends_word(self, ids: list[int]) -> bool:
        return not ids or self._tokenizer.convert_ids_to_tokens(ids[-1]).endswith(END_OF_WORD)

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, verbose=False).input_ids
        return ids
