"""Prompt encoding, compared to diffusers."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import CLIPTextModel

from contract.generation import InvalidRequestError
from inference.diffusion.prompts.encoded_prompt import EncodedPrompt
from inference.diffusion.prompts.prompt_encoder import MAX_CHUNKS, PromptEncoder
from tests.inference.diffusion.prompts.encoding import encode_with
from tests.inference.diffusion.prompts.tiny_families import FAMILIES, LAYERS

LONG = ", ".join(["a big red circle on a white background"] * 12)


@pytest.fixture(scope="module")
def pipelines(demo_model: Path) -> dict[str, Any]:
    return {name: make(demo_model) for name, make in FAMILIES.items()}


def encode(
    pipeline: Any, *, classifier_free_guidance: bool = True, **request: Any
) -> tuple[EncodedPrompt, ...]:
    return encode_with(PromptEncoder(pipeline), classifier_free_guidance=classifier_free_guidance, **request)


def encode_with_diffusers(
    pipeline: Any, prompt: str, negative: str | None = None, **options: Any
) -> list[EncodedPrompt]:
    """The negative prompt and the prompt, encoded by the diffusers pipeline."""
    encoded = pipeline.encode_prompt(
        prompt=prompt,
        device="cpu",
        num_images_per_prompt=1,
        do_classifier_free_guidance=True,
        negative_prompt=negative,
        **options,
    )
    embeddings, negative_embeddings, pooled, negative_pooled = (*encoded, None, None)[:4]
    return [EncodedPrompt(negative_embeddings, negative_pooled), EncodedPrompt(embeddings, pooled)]


def equal(ours: EncodedPrompt, theirs: EncodedPrompt) -> bool:
    """Whether two encoded prompts are equal bit for bit."""
    if ours.pooled is None or theirs.pooled is None:
        return ours.pooled is theirs.pooled and torch.equal(ours.embeddings, theirs.embeddings)
    return torch.equal(ours.embeddings, theirs.embeddings) and torch.equal(ours.pooled, theirs.pooled)


@pytest.mark.parametrize("negative", ["", "blue", "  "])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_plain_prompt_is_encoded_as_by_diffusers(
    pipelines: dict[str, Any], family: str, negative: str
) -> None:
    for prompt in ("a red circle", " É: 3/4,\n x", "<|endoftext|> a"):
        ours = encode(pipelines[family], prompt=prompt, negative_prompt=negative)
        theirs = encode_with_diffusers(pipelines[family], prompt, negative or None)
        assert len(ours) == 2
        assert all(map(equal, ours, theirs))
        (without_guidance,) = encode(
            pipelines[family], classifier_free_guidance=False, prompt=prompt, negative_prompt=negative
        )
        assert equal(without_guidance, theirs[1])


def expected_states(pipeline: Any, chunks: list[list[int]], suffix: str = "") -> tuple[torch.Tensor, Any]:
    """One text encoder's hidden states of all chunks, and the pooled output for the first one.

    The chunks are without BOS and EOS; the suffix is that of the pipeline's components.
    """
    tokenizer, model = getattr(pipeline, f"tokenizer{suffix}"), getattr(pipeline, f"text_encoder{suffix}")
    is_sdxl, states, pooled = hasattr(pipeline, "text_encoder_2"), [], []
    for chunk in chunks:
        tokens = [tokenizer.bos_token_id, *chunk, tokenizer.eos_token_id]
        mask = [1] * len(tokens) + [0] * (tokenizer.model_max_length - len(tokens))
        tokens += [tokenizer.pad_token_id] * (tokenizer.model_max_length - len(tokens))
        masked = getattr(model.config, "use_attention_mask", False)
        output = model(
            torch.tensor([tokens]),
            attention_mask=torch.tensor([mask]) if masked else None,
            output_hidden_states=True,
        )
        states.append(output.hidden_states[-2] if is_sdxl else output.last_hidden_state)
        pooled.append(output[0] if suffix else None)
    return torch.cat(states, dim=1), pooled[0]


def expected(pipeline: Any, chunks: list[list[int]]) -> EncodedPrompt:
    states, pooled = expected_states(pipeline, chunks)
    if hasattr(pipeline, "text_encoder_2"):
        second_states, pooled = expected_states(pipeline, chunks, "_2")
        states = torch.cat([states, second_states], dim=-1)
    return EncodedPrompt(states, pooled)


def tokens_of(pipeline: Any, text: str) -> list[int]:
    tokens: list[int] = pipeline.tokenizer(text, truncation=False, verbose=False).input_ids[1:-1]
    return tokens


@pytest.mark.parametrize("family", FAMILIES)
def test_a_long_prompt_takes_several_chunks_and_the_other_prompt_is_padded(
    pipelines: dict[str, Any], family: str
) -> None:
    pipeline = pipelines[family]
    length = pipeline.tokenizer.model_max_length - 2
    text = " ".join(["circle"] * 2 * length) + " red"
    negative, prompt = encode(pipeline, prompt=text, negative_prompt="blue")
    tokens = tokens_of(pipeline, text)
    chunks = [tokens[start : start + length] for start in range(0, len(tokens), length)]
    assert len(chunks) > 2
    assert equal(prompt, expected(pipeline, chunks))
    assert equal(negative, expected(pipeline, [tokens_of(pipeline, "blue")] + [[]] * (len(chunks) - 1)))


def test_the_encoders_maximum_length_is_used_if_the_tokenizer_has_none(demo_model: Path) -> None:
    pipeline = FAMILIES["SD"](demo_model)
    _, before = encode(pipeline, prompt="a red circle")
    pipeline.tokenizer.model_max_length = int(1e30)
    assert equal(encode(pipeline, prompt="a red circle")[1], before)


@pytest.mark.parametrize("family", ["SD", "SDXL"])
def test_break_begins_a_chunk_and_a_full_chunk_is_split_after_a_comma(
    pipelines: dict[str, Any], family: str
) -> None:
    pipeline = pipelines[family]
    negative, prompt = encode(pipeline, prompt="a red BREAK circle", negative_prompt=LONG)
    red, circle = tokens_of(pipeline, "a red"), tokens_of(pipeline, "circle")
    tokens = tokens_of(pipeline, LONG)
    comma = pipeline.tokenizer.get_vocab()[",</w>"]
    chunks = []
    while len(tokens) > 75:
        end = 75 if tokens[75] == comma else 75 - tokens[74::-1].index(comma)
        chunks.append(tokens[:end])
        tokens = tokens[end:]
    chunks.append(tokens)
    assert any(len(chunk) < 75 for chunk in chunks[:-1])
    assert equal(negative, expected(pipeline, chunks))
    assert equal(prompt, expected(pipeline, [red, circle] + [[]] * (len(chunks) - 2)))


@pytest.mark.parametrize("family", ["SD", "SDXL"])
def test_a_weight_of_one_changes_no_bit_and_others_scale_within_their_chunk_only(
    pipelines: dict[str, Any], family: str
) -> None:
    pipeline = pipelines[family]
    _, plain = encode(pipeline, prompt="a red circle")
    _, weight_of_one = encode(pipeline, prompt="a (red:1.0) circle")
    assert equal(weight_of_one, plain)
    _, weighted = encode(pipeline, prompt="a (red:1.5) circle BREAK a red circle")
    tokens = pipeline.tokenizer.model_max_length
    assert torch.equal(weighted.embeddings[:, tokens:], plain.embeddings)
    assert pipeline.config.get("force_zeros_for_empty_prompt") is None or torch.equal(
        weighted.pooled, plain.pooled
    )
    start = 1 + len(tokens_of(pipeline, "a"))
    end = start + len(tokens_of(pipeline, "red"))
    widths = [32, 32] if family == "SDXL" else [32]
    for ours, states in zip(
        weighted.embeddings[:, :tokens].split(widths, dim=-1),
        plain.embeddings.split(widths, dim=-1),
        strict=True,
    ):
        by_formula = states.clone()
        by_formula[:, start:end] *= 1.5
        by_formula *= states.mean() / by_formula.mean()
        torch.testing.assert_close(ours, by_formula)
        assert not torch.equal(ours, states)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("clip_skip", [2, 3])
def test_clip_skip_applies_to_both_prompts(
    pipelines: dict[str, Any], family: str, clip_skip: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Diffusers applies it to the prompt only, so the negative prompt is compared as a prompt too."""
    pipeline = pipelines[family]
    monkeypatch.setattr(CLIPTextModel, "text_model", property(lambda self: self), raising=False)
    ours = encode(pipeline, prompt="a red circle", negative_prompt="blue", clip_skip=clip_skip)
    for encoded, text in zip(ours, ("blue", "a red circle"), strict=True):
        assert equal(encoded, encode_with_diffusers(pipeline, text, clip_skip=clip_skip - 1)[1])
        assert not torch.equal(encoded.embeddings, encode_with_diffusers(pipeline, text)[1].embeddings)


@pytest.mark.parametrize(("family", "layers"), [("SD", LAYERS), ("SDXL", LAYERS - 1)])
def test_a_clip_skip_beyond_the_layers_is_refused(
    pipelines: dict[str, Any], family: str, layers: int
) -> None:
    assert encode(pipelines[family], clip_skip=layers)
    with pytest.raises(InvalidRequestError, match=f"must be at most {layers} for this model, not") as refused:
        encode(pipelines[family], clip_skip=layers + 1)
    assert refused.value.errors[0].pointer == "#/clip_skip"


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_a_prompt_of_too_many_chunks_is_refused(pipelines: dict[str, Any], field: str) -> None:
    assert encode(pipelines["SD"], **{field: "a BREAK " * (MAX_CHUNKS - 1) + "b"})
    with pytest.raises(InvalidRequestError, match=f"takes {MAX_CHUNKS + 1} chunks of 75 tokens") as refused:
        encode(pipelines["SD"], **{field: "a BREAK " * MAX_CHUNKS + "b"})
    assert refused.value.errors[0].pointer == f"#/{field}"


class CountingEncoder:
    """A prompt encoder that counts the forward passes of its text encoder."""

    def __init__(self, pipeline: Any, **options: Any) -> None:
        self.calls = 0
        self._encoder = PromptEncoder(pipeline, **options)
        self.hook = pipeline.text_encoder.register_forward_hook(self._count)

    def _count(self, *_: Any) -> None:
        self.calls += 1

    def forward_passes(self, prompt: str, negative: str = "", variant: Any = None, **request: Any) -> int:
        """The number of forward passes that encoding a request takes."""
        before = self.calls
        request |= {"prompt": prompt, "negative_prompt": negative}
        encode_with(self._encoder, variant=variant, **request)
        return self.calls - before


@pytest.fixture
def create_encoder(pipelines: dict[str, Any]) -> Iterator[Callable[..., CountingEncoder]]:
    encoders = []

    def create(**options: Any) -> CountingEncoder:
        encoders.append(CountingEncoder(pipelines["SD"], **options))
        return encoders[-1]

    yield create
    for encoder in encoders:
        encoder.hook.remove()


def test_a_prompt_is_encoded_again_only_if_it_or_an_option_changes(
    create_encoder: Callable[..., CountingEncoder],
) -> None:
    encoder = create_encoder()
    assert encoder.forward_passes("a red circle", "blue") == 2
    assert encoder.forward_passes("a red circle", "blue", seed=9, width=128, steps=7) == 0
    assert encoder.forward_passes("a blue circle", "blue") == 1
    assert encoder.forward_passes("blue", "a red circle") == 0
    assert encoder.forward_passes("a red circle", "blue", clip_skip=2) == 2
    assert encoder.forward_passes("a red circle", "blue", variant=("moon", 0.5)) == 2
    assert encoder.forward_passes("a red circle", "blue", variant=("moon", 0.5)) == 0
    assert encoder.forward_passes("a BREAK b BREAK c", "blue") == 4
    assert encoder.forward_passes("a BREAK b BREAK d", "blue") == 3


def test_the_least_recently_used_prompts_are_evicted(create_encoder: Callable[..., CountingEncoder]) -> None:
    encoder = create_encoder(cache_bytes=3 * 77 * 32 * 4)
    assert encoder.forward_passes("a", "no") == 2
    assert encoder.forward_passes("b", "no") == 1
    assert encoder.forward_passes("a", "no") == 0
    assert encoder.forward_passes("c", "no") == 1
    assert encoder.forward_passes("a", "no") == 0
    assert encoder.forward_passes("b", "no") == 1
    assert encoder.forward_passes("a BREAK b BREAK c BREAK d", "no") == 5  # larger than the cache
    assert encoder.forward_passes("same", "same") <= 2
    assert encoder.forward_passes("same", "same") == 0
