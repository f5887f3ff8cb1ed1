"""What becomes of a generation's prompts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import CLIPTextModel

from contract.generation import InvalidRequestError
from inference.diffusion.prompts.encoded_prompt import EncodedPrompt
from inference.diffusion.prompts.prompt_encoder import MAX_CHUNKS, PromptEncoder
from tests.inference.diffusion.prompts.tiny_families import FAMILIES, LAYERS
from tests.inference.generations import generation_of

LONG = ", ".join(["a big red circle on a white background"] * 12)


@pytest.fixture(scope="module")
def pipelines(demo_model: Path) -> dict[str, Any]:
    return {name: make(demo_model) for name, make in FAMILIES.items()}


def encode(
    pipeline: Any, *, classifier_free_guidance: bool = True, **request: Any
) -> tuple[EncodedPrompt, ...]:
    return PromptEncoder(pipeline).encode(
        generation_of(**request), classifier_free_guidance=classifier_free_guidance
    )


def stock(pipeline: Any, prompt: str, negative: str | None = None, **options: Any) -> list[EncodedPrompt]:
    """What diffusers makes of the negative prompt and the prompt."""
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


def same(ours: EncodedPrompt, theirs: EncodedPrompt) -> bool:
    """To the byte."""
    if ours.pooled is None or theirs.pooled is None:
        return ours.pooled is theirs.pooled and torch.equal(ours.embeddings, theirs.embeddings)
    return torch.equal(ours.embeddings, theirs.embeddings) and torch.equal(ours.pooled, theirs.pooled)


@pytest.mark.parametrize("negative", ["", "blue", "  "])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_plain_prompt_is_what_diffusers_makes_of_it(
    pipelines: dict[str, Any], family: str, negative: str
) -> None:
    for prompt in ("a red circle", " É: 3/4,\n x", "<|endoftext|> a"):
        ours = encode(pipelines[family], prompt=prompt, negative_prompt=negative)
        theirs = stock(pipelines[family], prompt, negative or None)
        assert len(ours) == 2
        assert all(map(same, ours, theirs))
        (alone,) = encode(
            pipelines[family], classifier_free_guidance=False, prompt=prompt, negative_prompt=negative
        )
        assert same(alone, theirs[1])


def by_hand(pipeline: Any, chunks: list[list[int]], place: str = "") -> tuple[torch.Tensor, Any]:
    """The hidden states of chunks without their first and last tokens, and the first one's pooled."""
    tokenizer, model = getattr(pipeline, f"tokenizer{place}"), getattr(pipeline, f"text_encoder{place}")
    large, states, pooled = hasattr(pipeline, "text_encoder_2"), [], []
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
        states.append(output.hidden_states[-2] if large else output.last_hidden_state)
        pooled.append(output[0] if place else None)
    return torch.cat(states, dim=1), pooled[0]


def all_by_hand(pipeline: Any, chunks: list[list[int]]) -> EncodedPrompt:
    states, pooled = by_hand(pipeline, chunks)
    if hasattr(pipeline, "text_encoder_2"):
        more, pooled = by_hand(pipeline, chunks, "_2")
        states = torch.cat([states, more], dim=-1)
    return EncodedPrompt(states, pooled)


def tokens_of(pipeline: Any, text: str) -> list[int]:
    tokens: list[int] = pipeline.tokenizer(text, truncation=False, verbose=False).input_ids[1:-1]
    return tokens


@pytest.mark.parametrize("family", FAMILIES)
def test_a_long_prompt_goes_on_in_further_chunks_and_a_short_one_is_filled_up(
    pipelines: dict[str, Any], family: str
) -> None:
    pipeline = pipelines[family]
    room = pipeline.tokenizer.model_max_length - 2
    words = " ".join(["circle"] * 2 * room) + " red"
    negative, asked = encode(pipeline, prompt=words, negative_prompt="blue")
    tokens = tokens_of(pipeline, words)
    chunks = [tokens[start : start + room] for start in range(0, len(tokens), room)]
    assert len(chunks) > 2
    assert same(asked, all_by_hand(pipeline, chunks))
    assert same(negative, all_by_hand(pipeline, [tokens_of(pipeline, "blue")] + [[]] * (len(chunks) - 1)))


def test_where_the_tokenizer_names_no_length_the_encoders_counts(demo_model: Path) -> None:
    pipeline = FAMILIES["SD"](demo_model)
    _, expected = encode(pipeline, prompt="a red circle")
    pipeline.tokenizer.model_max_length = int(1e30)
    assert same(encode(pipeline, prompt="a red circle")[1], expected)


@pytest.mark.parametrize("family", ["SD", "SDXL"])
def test_break_begins_a_chunk_and_a_comma_near_the_end_is_where_a_chunk_is_split(
    pipelines: dict[str, Any], family: str
) -> None:
    pipeline = pipelines[family]
    _, asked = encode(pipeline, prompt="a red BREAK circle", negative_prompt=LONG)
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
    assert same(asked, all_by_hand(pipeline, [red, circle] + [[]] * (len(chunks) - 2)))


@pytest.mark.parametrize("family", ["SD", "SDXL"])
def test_a_weight_of_one_changes_no_bit_and_another_only_scales_within_its_chunk(
    pipelines: dict[str, Any], family: str
) -> None:
    pipeline = pipelines[family]
    _, plain = encode(pipeline, prompt="a red circle")
    _, one = encode(pipeline, prompt="a (red:1.0) circle")
    assert same(one, plain)
    _, both = encode(pipeline, prompt="a (red:1.5) circle BREAK a red circle")
    tokens = pipeline.tokenizer.model_max_length
    assert torch.equal(both.embeddings[:, tokens:], plain.embeddings)
    assert pipeline.config.get("force_zeros_for_empty_prompt") is None or torch.equal(
        both.pooled, plain.pooled
    )
    at = 1 + len(tokens_of(pipeline, "a"))
    end = at + len(tokens_of(pipeline, "red"))
    widths = [32, 32] if family == "SDXL" else [32]
    for ours, states in zip(
        both.embeddings[:, :tokens].split(widths, dim=-1), plain.embeddings.split(widths, dim=-1), strict=True
    ):
        expected = states.clone()
        expected[:, at:end] *= 1.5
        expected *= states.mean() / expected.mean()
        torch.testing.assert_close(ours, expected)
        assert not torch.equal(ours, states)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("clip_skip", [2, 3])
def test_layers_are_skipped_for_both_prompts(
    pipelines: dict[str, Any], family: str, clip_skip: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In diffusers' pipelines only for the prompt; as a prompt, the negative one can be compared too."""
    pipeline = pipelines[family]
    monkeypatch.setattr(CLIPTextModel, "text_model", property(lambda self: self), raising=False)
    ours = encode(pipeline, prompt="a red circle", negative_prompt="blue", clip_skip=clip_skip)
    for row, text in zip(ours, ("blue", "a red circle"), strict=True):
        assert same(row, stock(pipeline, text, clip_skip=clip_skip - 1)[1])
        assert not torch.equal(row.embeddings, stock(pipeline, text)[1].embeddings)


@pytest.mark.parametrize(("family", "layers"), [("SD", LAYERS), ("SDXL", LAYERS - 1)])
def test_more_layers_than_there_are_cannot_be_skipped(
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


class Counted:
    """A prompt encoder, and the calls of its text encoder."""

    def __init__(self, pipeline: Any, **options: Any) -> None:
        self.calls = 0
        self._encoder = PromptEncoder(pipeline, **options)
        self.hook = pipeline.text_encoder.register_forward_hook(self._count)

    def _count(self, *_: Any) -> None:
        self.calls += 1

    def cost(self, prompt: str, negative: str = "", variant: Any = None, **request: Any) -> int:
        """How often the text encoder is called for a request."""
        before = self.calls
        request |= {"prompt": prompt, "negative_prompt": negative}
        self._encoder.encode(generation_of(**request), classifier_free_guidance=True, variant=variant)
        return self.calls - before


@pytest.fixture
def counted(pipelines: dict[str, Any]) -> Iterator[Any]:
    made = []

    def make(**options: Any) -> Counted:
        made.append(Counted(pipelines["SD"], **options))
        return made[-1]

    yield make
    for each in made:
        each.hook.remove()


def test_a_prompt_is_encoded_once_for_all_that_decides_it(counted: Any) -> None:
    encoder = counted()
    assert encoder.cost("a red circle", "blue") == 2
    assert encoder.cost("a red circle", "blue", seed=9, width=128, steps=7) == 0
    assert encoder.cost("a blue circle", "blue") == 1
    assert encoder.cost("blue", "a red circle") == 0
    assert encoder.cost("a red circle", "blue", clip_skip=2) == 2
    assert encoder.cost("a red circle", "blue", variant=("moon", 0.5)) == 2
    assert encoder.cost("a red circle", "blue", variant=("moon", 0.5)) == 0
    assert encoder.cost("a BREAK b BREAK c", "blue") == 4
    assert encoder.cost("a BREAK b BREAK d", "blue") == 3


def test_prompts_are_kept_within_a_number_of_bytes_the_last_used_longest(counted: Any) -> None:
    encoder = counted(cache_bytes=3 * 77 * 32 * 4)
    assert encoder.cost("a", "no") == 2
    assert encoder.cost("b", "no") == 1
    assert encoder.cost("a", "no") == 0
    assert encoder.cost("c", "no") == 1
    assert encoder.cost("a", "no") == 0
    assert encoder.cost("b", "no") == 1
    assert encoder.cost("a BREAK b BREAK c BREAK d", "no") == 5  # larger than all that is kept
    assert encoder.cost("same", "same") <= 2
    assert encoder.cost("same", "same") == 0
