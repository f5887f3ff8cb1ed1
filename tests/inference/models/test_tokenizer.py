import subprocess
import sys

import pytest

from inference.models.tokenizer import clip_tokenizer
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("a photo of a cat", [320, 1125, 539, 320, 2368]),
        ("A  Photo of a CAT", [320, 1125, 539, 320, 2368]),
        ("", []),
    ],
)
def test_token_ids_are_those_of_clip(text: str, ids: list[int]) -> None:
    tokenizer = clip_tokenizer(open_clip=False)
    assert tokenizer(text).input_ids == [49406, *ids, 49407]
    assert len(tokenizer) == 49408


@pytest.mark.parametrize(("open_clip", "padding"), [(False, 49407), (True, 0)])
def test_clip_and_open_clip_have_different_padding_tokens(open_clip: bool, padding: int) -> None:
    tokens = clip_tokenizer(open_clip=open_clip)("cat", padding="max_length").input_ids
    assert tokens == [49406, 2368, 49407] + [padding] * 74


def test_unicode_text_can_be_decoded() -> None:
    tokenizer = clip_tokenizer(open_clip=False)
    text = "größe 東京 🎨 naïve"
    decoded = tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True)
    assert decoded.replace(" ", "") == text.replace(" ", "")


def test_open_clip_is_not_imported() -> None:
    code = (
        "import sys; from inference.models.tokenizer import clip_tokenizer; "
        "clip_tokenizer(open_clip=True); print('open_clip' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
