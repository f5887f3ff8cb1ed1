"""What the words of a prompt stand for."""

from collections.abc import Iterator
from typing import Any

from inference.diffusion.prompts.chunks import Place, Run
from inference.diffusion.prompts.emphasis import Fragment, Section
from inference.diffusion.prompts.text_encoder import END_OF_WORD
from inference.diffusion.prompts.textual_inversion import Inversions


class Vocabulary:
    """A tokenizer's words, and names of textual inversions beside them.

    A name is found by its tokens, as in the web UI: as whole words, and in upper or lower case, between which
    CLIP's tokenizers make no difference. Of several that begin at the same place the longest counts.
    """

    def __init__(self, tokenizer: Any, inversions: Inversions) -> None:
        self._tokenizer = tokenizer
        names = [(self._tokens(name), vectors) for name, vectors in inversions.items()]
        self._names = sorted(names, key=lambda each: len(each[0]), reverse=True)

    def runs(self, section: Section) -> list[Run]:
        """What the section's words stand for, one after the other."""
        return [run for fragment in section for run in self._of(fragment)]

    def _of(self, fragment: Fragment) -> Iterator[Run]:
        tokens, position = self._tokens(fragment.text), 0
        while position < len(tokens):
            for name, vectors in self._names:
                if tokens[position : position + len(name)] == name and self._ends_word(tokens[:position]):
                    # the token itself is without meaning here, but must not be that of the text's end
                    holder = self._tokenizer.bos_token_id
                    yield tuple(Place(holder, fragment.weight, vector) for vector in vectors)
                    position += len(name)
                    break
            else:
                yield (Place(tokens[position], fragment.weight),)
                position += 1

    def _ends_word(self, tokens: list[int]) -> bool:
        return not tokens or self._tokenizer.convert_ids_to_tokens(tokens[-1]).endswith(END_OF_WORD)

    def _tokens(self, text: str) -> list[int]:
        tokens: list[int] = self._tokenizer(text, add_special_tokens=False, verbose=False).input_ids
        return tokens
