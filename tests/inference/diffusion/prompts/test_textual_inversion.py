"""Textual inversions: their files, and their use in prompts."""

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

from contract.problem import ErrorCode
from inference.diffusion.adapters.adapter_files import AdapterFileError
from inference.diffusion.prompts.encoded_prompt import EncodedPrompt
from inference.diffusion.prompts.prompt_encoder import PromptEncoder
from inference.diffusion.prompts.textual_inversion_file import read_textual_inversions
from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import AdapterFile
from tests.inference.diffusion.prompts import tiny_families
from tests.inference.diffusion.prompts.encoding import encode_with

WIDTH = 32
NAME = "my-style.v2"


def vectors(count: int, *, seed: int = 1, width: int = WIDTH) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


STYLE, STYLE_L, STYLE_G = vectors(3), vectors(3, seed=2), vectors(3, seed=3)
WEB_UI = {"string_to_token": {"*": 265}, "string_to_param": {"*": torch.nn.Parameter(STYLE)}, "name": "x"}


def adapter_file(path: Path, name: str = NAME, version: str = "1") -> AdapterFile:
    return AdapterFile(name=name, path=path, version=version)


def save_safetensors(directory: Path, content: dict[str, torch.Tensor], name: str = "a.safetensors") -> Path:
    save_file(content, directory / name)
    return directory / name


def save_pickle(directory: Path, content: Any, name: str = "a.pt") -> Path:
    torch.save(content, directory / name)
    return directory / name


def encode(encoder: PromptEncoder, *files: AdapterFile, **request: Any) -> tuple[EncodedPrompt, ...]:
    return encode_with(encoder, embeddings=files, **request)


@pytest.fixture(scope="module")
def sd(demo_model: Path) -> Any:
    return tiny_families.sd(demo_model)


@pytest.fixture(scope="module")
def sdxl(demo_model: Path) -> Any:
    return tiny_families.sdxl(demo_model)


@pytest.mark.parametrize(
    "write",
    [
        lambda directory: save_safetensors(directory, {"emb_params": STYLE}),
        lambda directory: save_safetensors(directory, {"<token>": STYLE}),
        lambda directory: save_pickle(directory, {"<token>": STYLE}, "a.bin"),
        lambda directory: save_pickle(directory, WEB_UI),
        lambda directory: save_pickle(
            directory, WEB_UI | {"string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(STYLE)})}
        ),
    ],
    ids=["web UI", "diffusers", "diffusers, pickled", "web UI, pickled", "a ParameterDict"],
)
def test_every_file_format_is_read(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    (read,) = read_textual_inversions(write(tmp_path))[None].values()
    assert torch.equal(read, STYLE)
    assert not read.requires_grad


def test_a_single_vector_may_have_one_dimension(tmp_path: Path) -> None:
    (read,) = read_textual_inversions(save_safetensors(tmp_path, {"<token>": STYLE[0]}))[None].values()
    assert torch.equal(read, STYLE[:1])


@pytest.mark.parametrize("count", [1, 3])
def test_a_name_is_replaced_by_its_vectors_as_in_diffusers(
    sd: Any, demo_model: Path, tmp_path: Path, count: int
) -> None:
    file = save_safetensors(tmp_path, {"emb_params": STYLE[:count]})
    ours = encode(
        PromptEncoder(sd),
        adapter_file(file),
        prompt=f"a {NAME} circle",
        negative_prompt=f"blue {NAME}, {NAME}",
    )
    theirs = tiny_families.sd(demo_model)
    theirs.load_textual_inversion(str(file), token=NAME)
    negative, prompt = f"blue {NAME}, {NAME}", f"a {NAME} circle"
    expected = theirs.encode_prompt(prompt, "cpu", 1, True, negative)
    assert torch.equal(ours[0].embeddings, expected[1])
    assert torch.equal(ours[1].embeddings, expected[0])


def test_each_text_encoder_of_sdxl_has_its_own_vectors(sdxl: Any, demo_model: Path, tmp_path: Path) -> None:
    file = save_safetensors(tmp_path, {"clip_l": STYLE_L, "clip_g": STYLE_G})
    prompt = f"a {NAME} circle"
    _, ours = encode(PromptEncoder(sdxl), adapter_file(file), prompt=prompt)
    theirs = tiny_families.sdxl(demo_model)
    for content, suffix in ((STYLE_L, ""), (STYLE_G, "_2")):
        theirs.load_textual_inversion(
            {NAME: content},
            token=NAME,
            tokenizer=getattr(theirs, f"tokenizer{suffix}"),
            text_encoder=getattr(theirs, f"text_encoder{suffix}"),
        )
    expected = theirs.encode_prompt(prompt, device="cpu", do_classifier_free_guidance=False)
    assert torch.equal(ours.embeddings, expected[0])
    assert torch.equal(ours.pooled, expected[2])


def test_a_name_matches_whole_words_in_any_case_and_is_weighted(sd: Any, tmp_path: Path) -> None:
    encoder, file = (
        PromptEncoder(sd),
        adapter_file(save_safetensors(tmp_path, {"emb_params": STYLE}), "style"),
    )
    _, plain = encode(encoder, file, prompt="a style circle")
    _, in_capitals = encode(encoder, file, prompt="a STYLE circle")
    assert torch.equal(plain.embeddings, in_capitals.embeddings)
    for prompt in ("a styles circle", "a restyle circle"):
        _, with_file = encode(encoder, file, prompt=prompt)
        _, without = encode(encoder, prompt=prompt)
        assert torch.equal(with_file.embeddings, without.embeddings)
    _, weighted = encode(encoder, file, prompt="a (style:1.4) circle")
    factors = weighted.embeddings / plain.embeddings
    torch.testing.assert_close(
        factors[0, :8].mean(dim=-1) / factors[0, 0].mean(), torch.tensor([1, 1, *[1.4] * 3, 1, 1, 1])
    )


def test_the_longer_of_two_matching_names_is_used(sd: Any, tmp_path: Path) -> None:
    short = adapter_file(save_safetensors(tmp_path, {"a": STYLE}, "short.safetensors"), "style")
    long = adapter_file(save_safetensors(tmp_path, {"a": STYLE_L}, "long.safetensors"), "style-two")
    encoder = PromptEncoder(sd)
    _, both = encode(encoder, short, long, prompt="a style-two circle")
    _, only_long = encode(encoder, long, prompt="a style-two circle")
    assert torch.equal(both.embeddings, only_long.embeddings)


@pytest.mark.parametrize("name", ["a.safetensors", "a.bin"])
def test_several_tokens_of_a_file_are_named_in_prompts_by_themselves(
    sd: Any, demo_model: Path, tmp_path: Path, name: str
) -> None:
    content = {"<cat-toy>": STYLE[0], "<s1>": STYLE_L[:2]}
    save = save_safetensors if name.endswith(".safetensors") else save_pickle
    file = save(tmp_path, content, name)
    prompt = "a <cat-toy> <s1> circle"
    _, ours = encode(PromptEncoder(sd), adapter_file(file), prompt=prompt)
    theirs = tiny_families.sd(demo_model)
    theirs.load_textual_inversion([{token: values} for token, values in content.items()])
    assert torch.equal(ours.embeddings, theirs.encode_prompt(prompt, "cpu", 1, False)[0])


def test_the_entries_of_pivotal_tuning_are_those_of_sdxls_text_encoders(sdxl: Any, tmp_path: Path) -> None:
    ours, other = (
        encode(
            PromptEncoder(sdxl),
            adapter_file(save_safetensors(tmp_path, dict(zip(names, (STYLE_L, STYLE_G), strict=True)))),
            prompt=f"a {NAME} circle",
        )[1]
        for names in (("text_encoders_0", "text_encoders_1"), ("clip_l", "clip_g"))
    )
    assert torch.equal(ours.embeddings, other.embeddings)


def test_a_name_with_spaces_and_brackets_is_used_in_prompts_with_escaped_brackets(
    sd: Any, tmp_path: Path
) -> None:
    file = save_safetensors(tmp_path, {"emb_params": STYLE})
    encoder = PromptEncoder(sd)
    _, plain = encode(encoder, adapter_file(file, "style"), prompt="a style circle")
    for name, written in {"style (v2) 月": r"style \(v2\) 月", "[ink] wash": r"\[ink\] wash"}.items():
        _, ours = encode(encoder, adapter_file(file, name), prompt=f"a {written} circle")
        assert torch.equal(ours.embeddings, plain.embeddings)


def test_the_tokenizer_and_the_text_encoder_stay_unchanged(sd: Any, tmp_path: Path) -> None:
    encoder = PromptEncoder(sd, cache_bytes=0)
    file = adapter_file(save_safetensors(tmp_path, {"emb_params": STYLE}))
    request = {"prompt": f"a {NAME} circle", "negative_prompt": NAME}
    vocabulary = dict(sd.tokenizer.get_vocab())
    before = encode(encoder, **request)
    with_file = encode(encoder, file, **request)
    after = encode(encoder, **request)
    for first, second, third in zip(before, with_file, after, strict=True):
        assert torch.equal(first.embeddings, third.embeddings)
        assert not torch.equal(first.embeddings, second.embeddings)
    assert sd.tokenizer.get_vocab() == vocabulary
    assert not sd.text_encoder.get_input_embeddings()._forward_hooks


def test_another_version_of_a_file_is_encoded_again(sd: Any, tmp_path: Path) -> None:
    encoder, prompt = PromptEncoder(sd), f"a {NAME}"
    _, first = encode(encoder, adapter_file(save_safetensors(tmp_path, {"a": STYLE})), prompt=prompt)
    _, second = encode(
        encoder, adapter_file(save_safetensors(tmp_path, {"a": STYLE_L}), version="2"), prompt=prompt
    )
    assert not torch.equal(first.embeddings, second.embeddings)


class Exploit:
    """Ends the process when it is unpickled."""

    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('pickles run code')",)


UNUSABLE = {
    "another width": (
        lambda directory: save_safetensors(directory, {"a": vectors(2, width=48)}),
        "width 48, .* 32",
    ),
    "too many": (lambda directory: save_safetensors(directory, {"a": vectors(76)}), "76 vectors, at most 75"),
    "SDXL's": (
        lambda directory: save_safetensors(directory, {"clip_l": STYLE_L, "clip_g": STYLE_G}),
        "another model family",
    ),
    "several, one of another width": (
        lambda directory: save_safetensors(directory, {"a": STYLE_L, "b": vectors(1, width=48)}),
        "width 48, .* 32",
    ),
    "numbered entries": (
        lambda directory: save_pickle(directory, {0: STYLE_L, 1: STYLE_G}),
        "is not a textual inversion",
    ),
    "integers": (
        lambda directory: save_safetensors(directory, {"a": STYLE.int()}),
        "is not a textual inversion",
    ),
    "three dimensions": (
        lambda directory: save_safetensors(directory, {"a": STYLE[None]}),
        "is not a textual inversion",
    ),
    "no tensors": (lambda directory: save_safetensors(directory, {}), "is not a textual inversion"),
    "no vectors": (lambda directory: save_safetensors(directory, {"a": STYLE[:0]}), "has no vectors"),
    "NaN": (lambda directory: save_safetensors(directory, {"a": STYLE * torch.nan}), "not finite"),
    "a tensor": (lambda directory: save_pickle(directory, STYLE), "is not a textual inversion"),
    "text": (lambda directory: save_pickle(directory, {"a": "b"}), "is not a textual inversion"),
    "code": (
        lambda directory: save_pickle(directory, {"a": Exploit()}),
        "use a .safetensors file",
    ),
    "a module": (
        lambda directory: save_pickle(directory, torch.nn.Linear(2, 2)),
        "tensors.*; use a .safetensors file",
    ),
    "a truncated pickle": (
        lambda directory: _truncate(save_pickle(directory, {"a": STYLE})),
        "is damaged",
    ),
    "truncated safetensors": (
        lambda directory: _truncate(save_safetensors(directory, {"a": STYLE})),
        "not a complete safetensors file",
    ),
    "an empty pickle": (
        lambda directory: _truncate(save_pickle(directory, {"a": STYLE}), 0),
        "nor a PyTorch pickle",
    ),
    "empty safetensors": (
        lambda directory: _truncate(save_safetensors(directory, {"a": STYLE}), 0),
        "not a complete safetensors file",
    ),
}


def _truncate(path: Path, length: int = 200) -> Path:
    path.write_bytes(path.read_bytes()[:length])
    return path


@pytest.mark.parametrize("defect", UNUSABLE)
def test_an_unusable_file_is_named_with_the_reason_and_the_next_request_succeeds(
    sd: Any, tmp_path: Path, defect: str
) -> None:
    write, reason = UNUSABLE[defect]
    good = adapter_file(save_safetensors(tmp_path, {"a": STYLE}, "good.safetensors"), "good")
    encoder, bad = PromptEncoder(sd), adapter_file(write(tmp_path))
    with pytest.raises(AdapterUnusableError, match=rf"The embedding '{NAME}' .*{reason}") as refused:
        encode(encoder, good, bad)
    assert refused.value.problem().code == ErrorCode.ADAPTER_UNUSABLE
    assert refused.value.errors[0].pointer == "#/embeddings/1"
    assert encode(encoder, good, prompt="a good circle")


def test_a_file_for_another_model_family_is_refused_by_sdxl(sdxl: Any, tmp_path: Path) -> None:
    with pytest.raises(AdapterUnusableError, match="another model family"):
        encode(PromptEncoder(sdxl), adapter_file(save_safetensors(tmp_path, {"emb_params": STYLE})))


@pytest.fixture(params=["safetensors", "pt", "legacy.pt"])
def small_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"a.{request.param}"
    if request.param == "safetensors":
        save_file({"a": STYLE[:, :2].contiguous()}, path)
    else:
        torch.save({"a": STYLE[:, :2].clone()}, path, _use_new_zipfile_serialization=request.param == "pt")
    return path


@pytest.mark.filterwarnings("ignore")  # pickletools and torch warn of some of the damage
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_raises_nothing_but_adapter_file_error(small_file: Path, data: st.DataObject) -> None:
    content = bytearray(small_file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = small_file.with_name(f"damaged{small_file.suffix}")
    damaged.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(AdapterFileError):
        read_textual_inversions(damaged)


def test_a_pickle_of_plain_values_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(pickle.dumps({"a": 1}, protocol=2))
    with pytest.raises(AdapterFileError):
        read_textual_inversions(path)
