"""The demo model's CLIP tokenizer: byte-level, with merges learned from its captions."""

import json
import random
from pathlib import Path

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import CLIPTokenizer

from training.caption import random_caption
from training.scene import all_triples, random_scene

MAX_TOKENS = 77
_START, _END = "<|startoftext|>", "<|endoftext|>"
_WORD = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_CAPTIONS = 4000
_VOCABULARY = 1024


def build_tokenizer() -> CLIPTokenizer:
    """Learns the merges from captions; the result is always the same."""
    merges = _learn_merges()
    characters = sorted(ByteLevel.alphabet())
    merged = ("".join(pair) for pair in merges)
    tokens = [*characters, *(f"{character}</w>" for character in characters), *merged, _START, _END]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    return CLIPTokenizer(vocabulary, merges, model_max_length=MAX_TOKENS)


def save_vocabulary(tokenizer: CLIPTokenizer, directory: Path) -> None:
    """Writes vocab.json and merges.txt, which older tokenizer classes read instead of tokenizer.json."""
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    (directory / "vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False))
    lines = ["#version: 0.2", *(" ".join(pair) for pair in model["merges"])]
    (directory / "merges.txt").write_text("\n".join(lines) + "\n")


def _learn_merges() -> list[tuple[str, str]]:
    """Byte pairs as in CLIP: within words, with `</w>` at the end of a word."""
    rng = random.Random(0)
    triples = list(all_triples())
    captions = [random_caption(random_scene(rng, triples), rng) for _ in range(_CAPTIONS)]
    trained = Tokenizer(BPE(end_of_word_suffix="</w>"))
    trained.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORD), behavior="removed", invert=True),
            ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trained.train_from_iterator(
        captions, BpeTrainer(vocab_size=_VOCABULARY, end_of_word_suffix="</w>", show_progress=False)
    )
    learned = json.loads(trained.to_str())["model"]["merges"]
    return [tuple(pair) for pair in learned]
