"""The demo model's tokenizer."""

from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from training.tokenizer import MAX_TOKENS, build_tokenizer, save_vocabulary


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return build_tokenizer()


def test_each_word_of_a_caption_is_one_token(tokenizer: CLIPTokenizer) -> None:
    caption = "a photo of a red circle on a white background in the centre"
    assert tokenizer.tokenize(caption) == [f"{word}</w>" for word in caption.split()]


@pytest.mark.parametrize("text", ["", "Ein größerer Kreis", "赤い丸", "🔴", "\u0000", "x" * 5000, "a\n\tb"])
def test_any_text_is_tokenized(tokenizer: CLIPTokenizer, text: str) -> None:
    tokens = tokenizer(text, padding="max_length", truncation=True, max_length=MAX_TOKENS).input_ids
    assert len(tokens) == MAX_TOKENS
    assert max(tokens) < len(tokenizer)


def test_the_demo_model_has_this_tokenizer(
    tokenizer: CLIPTokenizer, demo_model: Path, tmp_path: Path
) -> None:
    shipped = CLIPTokenizer.from_pretrained(demo_model / "tokenizer", local_files_only=True)
    assert shipped.get_vocab() == tokenizer.get_vocab()
    save_vocabulary(tokenizer, tmp_path)
    for name in ("vocab.json", "merges.txt"):
        assert (tmp_path / name).read_text() == (demo_model / "tokenizer" / name).read_text()


def test_vocab_json_and_merges_txt_load_the_same_tokenizer(tokenizer: CLIPTokenizer, tmp_path: Path) -> None:
    save_vocabulary(tokenizer, tmp_path)
    loaded = CLIPTokenizer(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
    text = "a big dotted star, 日本"
    assert loaded(text).input_ids == tokenizer(text).input_ids
