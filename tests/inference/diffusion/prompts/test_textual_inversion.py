"""Names in a prompt that stand for vectors from a file."""

import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from tests.inference.diffusion.prompts import tiny_families

from contract.problem import ErrorCode
from inference.diffusion.adapters.adapter_files import AdapterFileError
from inference.diffusion.prompts.encoded_prompt import EncodedPrompt
from inference.diffusion.prompts.prompt_encoder import PromptEncoder
from inference.diffusion.prompts.textual_inversion_file import read_embedding
from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import AdapterFile
from tests.inference.generations import generation_of

WIDTH = 32
NAME = "my-style.v2"


def vectors(count: int, *, seed: int = 1, width: int = WIDTH) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


STYLE, STYLE_L, STYLE_G = vectors(3), vectors(3, seed=2), vectors(3, seed=3)
WEB_UI = {"string_to_token": {"*": 265}, "string_to_param": {"*": torch.nn.Parameter(STYLE)}, "name": "x"}


def adapter(path: Path, name: str = NAME, version: str = "1") -> AdapterFile:
    return AdapterFile(name=name, path=path, version=version)


def safe(folder: Path, content: dict[str, torch.Tensor], name: str = "a.safetensors") -> Path:
    save_file(content, folder / name)
    return folder / name


def unsafe(folder: Path, content: Any, name: str = "a.pt") -> Path:
    torch.save(content, folder / name)
    return folder / name


def encode(encoder: PromptEncoder, *files: AdapterFile, **request: Any) -> tuple[EncodedPrompt, ...]:
    return encoder.encode(generation_of(**request), classifier_free_guidance=True, embeddings=files)


@pytest.fixture(scope="module")
def sd(demo_model: Path) -> Any:
    return tiny_families.sd(demo_model)


@pytest.fixture(scope="module")
def sdxl(demo_model: Path) -> Any:
    return tiny_families.sdxl(demo_model)


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: safe(folder, {"emb_params": STYLE}),
        lambda folder: safe(folder, {"<token>": STYLE}),
        lambda folder: unsafe(folder, {"<token>": STYLE}, "a.bin"),
        lambda folder: unsafe(folder, WEB_UI),
    ],
    ids=["web UI", "diffusers", "diffusers' pickle", "web UI's pickle"],
)
def test_every_form_of_file_is_read(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    (read,) = read_embedding(write(tmp_path)).values()
    assert torch.equal(read, STYLE)
    assert not read.requires_grad


def test_one_vector_may_be_a_row(tmp_path: Path) -> None:
    (read,) = read_embedding(safe(tmp_path, {"<token>": STYLE[0]})).values()
    assert torch.equal(read, STYLE[:1])


@pytest.mark.parametrize("count", [1, 3])
def test_a_name_stands_for_its_vectors_as_in_diffusers(
    sd: Any, demo_model: Path, tmp_path: Path, count: int
) -> None:
    file = safe(tmp_path, {"emb_params": STYLE[:count]})
    ours = encode(
        PromptEncoder(sd), adapter(file), prompt=f"a {NAME} circle", negative_prompt=f"blue {NAME}, {NAME}"
    )
    theirs = tiny_families.sd(demo_model)
    theirs.load_textual_inversion(str(file), token=NAME)
    negative, prompt = f"blue {NAME}, {NAME}", f"a {NAME} circle"
    expected = theirs.encode_prompt(prompt, "cpu", 1, True, negative)
    assert torch.equal(ours[0].embeddings, expected[1])
    assert torch.equal(ours[1].embeddings, expected[0])


def test_each_encoder_of_an_sdxl_has_vectors_of_its_own(sdxl: Any, demo_model: Path, tmp_path: Path) -> None:
    file = safe(tmp_path, {"clip_l": STYLE_L, "clip_g": STYLE_G})
    prompt = f"a {NAME} circle"
    _, ours = encode(PromptEncoder(sdxl), adapter(file), prompt=prompt)
    theirs = tiny_families.sdxl(demo_model)
    for content, place in ((STYLE_L, ""), (STYLE_G, "_2")):
        theirs.load_textual_inversion(
            {NAME: content},
            token=NAME,
            tokenizer=getattr(theirs, f"tokenizer{place}"),
            text_encoder=getattr(theirs, f"text_encoder{place}"),
        )
    expected = theirs.encode_prompt(prompt, device="cpu", do_classifier_free_guidance=False)
    assert torch.equal(ours.embeddings, expected[0])
    assert torch.equal(ours.pooled, expected[2])


def test_a_name_is_whole_words_in_any_case_and_takes_the_weight_around_it(sd: Any, tmp_path: Path) -> None:
    encoder, file = PromptEncoder(sd), adapter(safe(tmp_path, {"emb_params": STYLE}), "style")
    _, plain = encode(encoder, file, prompt="a style circle")
    _, shouted = encode(encoder, file, prompt="a STYLE circle")
    assert torch.equal(plain.embeddings, shouted.embeddings)
    for prompt in ("a styles circle", "a restyle circle"):
        _, others = encode(encoder, file, prompt=prompt)
        _, without = encode(encoder, prompt=prompt)
        assert torch.equal(others.embeddings, without.embeddings)
    _, weighted = encode(encoder, file, prompt="a (style:1.4) circle")
    factors = weighted.embeddings / plain.embeddings
    torch.testing.assert_close(
        factors[0, :8].mean(dim=-1) / factors[0, 0].mean(), torch.tensor([1, 1, *[1.4] * 3, 1, 1, 1])
    )


def test_the_longer_of_two_names_counts(sd: Any, tmp_path: Path) -> None:
    short = adapter(safe(tmp_path, {"a": STYLE}, "short.safetensors"), "style")
    long = adapter(safe(tmp_path, {"a": STYLE_L}, "long.safetensors"), "style-two")
    encoder = PromptEncoder(sd)
    _, both = encode(encoder, short, long, prompt="a style-two circle")
    _, alone = encode(encoder, long, prompt="a style-two circle")
    assert torch.equal(both.embeddings, alone.embeddings)


def test_nothing_of_it_is_left_behind(sd: Any, tmp_path: Path) -> None:
    encoder = PromptEncoder(sd, cache_bytes=0)
    file = adapter(safe(tmp_path, {"emb_params": STYLE}))
    request = {"prompt": f"a {NAME} circle", "negative_prompt": NAME}
    vocabulary = dict(sd.tokenizer.get_vocab())
    before = encode(encoder, **request)
    within = encode(encoder, file, **request)
    after = encode(encoder, **request)
    for first, second, third in zip(before, within, after, strict=True):
        assert torch.equal(first.embeddings, third.embeddings)
        assert not torch.equal(first.embeddings, second.embeddings)
    assert sd.tokenizer.get_vocab() == vocabulary
    assert not sd.text_encoder.get_input_embeddings()._forward_hooks


def test_another_version_of_a_file_is_not_taken_for_the_one_before(sd: Any, tmp_path: Path) -> None:
    encoder, prompt = PromptEncoder(sd), f"a {NAME}"
    _, first = encode(encoder, adapter(safe(tmp_path, {"a": STYLE})), prompt=prompt)
    _, second = encode(encoder, adapter(safe(tmp_path, {"a": STYLE_L}), version="2"), prompt=prompt)
    assert not torch.equal(first.embeddings, second.embeddings)


class Malice:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('pickles run code')",)


UNUSABLE = {
    "another width": (lambda folder: safe(folder, {"a": vectors(2, width=48)}), "48 numbers where .* 32"),
    "too many": (lambda folder: safe(folder, {"a": vectors(76)}), "76 vectors where at most 75 have room"),
    "SDXL's": (lambda folder: safe(folder, {"clip_l": STYLE_L, "clip_g": STYLE_G}), "another family"),
    "several": (lambda folder: safe(folder, {"a": STYLE_L, "b": STYLE_G}), "several"),
    "whole numbers": (lambda folder: safe(folder, {"a": STYLE.int()}), "holds no textual inversion"),
    "an image": (lambda folder: safe(folder, {"a": STYLE[None]}), "holds no textual inversion"),
    "nothing": (lambda folder: safe(folder, {}), "holds no textual inversion"),
    "no vectors": (lambda folder: safe(folder, {"a": STYLE[:0]}), "holds nothing"),
    "no numbers": (lambda folder: safe(folder, {"a": STYLE * torch.nan}), "not a number"),
    "a tensor": (lambda folder: unsafe(folder, STYLE), "holds no textual inversion"),
    "words": (lambda folder: unsafe(folder, {"a": "b"}), "holds no textual inversion"),
    "malice": (lambda folder: unsafe(folder, {"a": Malice()}), "would run code of its own"),
    "a module": (lambda folder: unsafe(folder, torch.nn.Linear(2, 2)), "holds more than tensors"),
    "a truncated pickle": (lambda folder: _cut(unsafe(folder, {"a": STYLE})), "is damaged"),
    "truncated safetensors": (lambda folder: _cut(safe(folder, {"a": STYLE})), "no whole safetensors"),
    "an empty pickle": (lambda folder: _cut(unsafe(folder, {"a": STYLE}), 0), "is damaged"),
    "empty safetensors": (lambda folder: _cut(safe(folder, {"a": STYLE}), 0), "no whole safetensors"),
}


def _cut(path: Path, length: int = 200) -> Path:
    path.write_bytes(path.read_bytes()[:length])
    return path


@pytest.mark.parametrize("flaw", UNUSABLE)
def test_a_file_that_cannot_be_used_is_named_and_the_next_request_succeeds(
    sd: Any, tmp_path: Path, flaw: str
) -> None:
    write, words = UNUSABLE[flaw]
    good = adapter(safe(tmp_path, {"a": STYLE}, "good.safetensors"), "good")
    encoder, bad = PromptEncoder(sd), adapter(write(tmp_path))
    with pytest.raises(AdapterUnusableError, match=rf"The embedding '{NAME}' .*{words}") as refused:
        encode(encoder, good, bad)
    assert refused.value.problem().code == ErrorCode.ADAPTER_UNUSABLE
    assert refused.value.errors[0].pointer == "#/embeddings/1"
    assert encode(encoder, good, prompt="a good circle")


def test_what_was_made_for_another_family_is_refused_by_an_sdxl(sdxl: Any, tmp_path: Path) -> None:
    with pytest.raises(AdapterUnusableError, match="another family"):
        encode(PromptEncoder(sdxl), adapter(safe(tmp_path, {"emb_params": STYLE})))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
@pytest.mark.parametrize("ending", ["safetensors", "pt", "legacy.pt"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_damage_is_more_than_an_unusable_file(tmp_path: Path, ending: str, data: st.DataObject) -> None:
    path = tmp_path / f"a.{ending}"
    if ending == "safetensors":
        save_file({"a": STYLE[:, :2].contiguous()}, path)
    else:
        torch.save({"a": STYLE[:, :2].clone()}, path, _use_new_zipfile_serialization=ending == "pt")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(AdapterFileError):
        read_embedding(path)


def test_a_pickle_of_plain_values_is_no_textual_inversion(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(pickle.dumps({"a": 1}, protocol=2))
    with pytest.raises(AdapterFileError):
        read_embedding(path)
