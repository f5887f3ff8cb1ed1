"""The UNet's modules and `AdapterLoader.unet_state` while LoRAs are loaded, activated and evicted."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.diffusion.adapters.active_loras import ActiveLoras
from inference.diffusion.adapters.adapter_set import AdapterLoader, AdapterSet
from inference.diffusion.adapters.device_cache import MAX_BYTES, DeviceCache
from inference.diffusion.adapters.loaded_lora import LayerChanges
from inference.diffusion.adapters.lora_deltas import Delta
from inference.diffusion.adapters.lora_layers import LoraLayers
from inference.diffusion.adapters.low_rank_layer import LowRankLayer
from inference.engine.interface import AdapterFile, Adapters, Inputs
from tests.inference import tiny_models
from tests.inference.generations import generation_of
from tests.inference.tiny_adapters import lora, write

_DELTA = "unet.mid_block.resnets.0.conv1.diff"


@dataclass(frozen=True, eq=False)
class _TooLarge:
    size_bytes: int = MAX_BYTES + 1


class Subject:
    """A model's adapter loader, with files for it."""

    def __init__(self, demo_model: Path, directory: Path) -> None:
        self.pipeline = tiny_models.sd(demo_model)
        self.loader = AdapterLoader(self.pipeline)
        self.files = {
            "one": write(directory / "one.safetensors", lora(self.pipeline)),
            "other": write(directory / "other.safetensors", lora(self.pipeline, seed=1)),
            "text": write(directory / "text.safetensors", lora(self.pipeline, components=("text_encoder",))),
            "delta": write(directory / "delta.safetensors", {_DELTA: torch.ones(16, 16, 3, 3)}),
        }

    def load(self, *names: str, weight: float = 1.0) -> AdapterSet:
        files: tuple[AdapterFile, ...] = tuple(self.files[name] for name in names)
        loras = [{"name": file.name, "weight": weight} for file in files]
        return self.loader.load(generation_of(loras=loras), Inputs(adapters=Adapters(loras=files)))

    def evict(self) -> None:
        """Evicts the LoRAs that are not in use."""
        self.loader._loras._cache.get_or_load("larger", _TooLarge)

    def layers(self) -> list[Any]:
        return [layer for layer in self.pipeline.unet.modules() if isinstance(layer, LowRankLayer)]


@pytest.fixture
def subject(demo_model: Path, tmp_path: Path) -> Subject:
    return Subject(demo_model, tmp_path)


def test_every_change_of_the_active_loras_changes_the_state_and_without_them_it_is_empty(
    subject: Subject,
) -> None:
    sets = [
        subject.load("one"),
        subject.load("one", weight=0.5),
        subject.load("other"),
        subject.load("one", "other"),
        subject.load("other", "one"),
        subject.load("delta"),
        subject.load("delta", weight=0.5),
        subject.load("one", "delta"),
    ]
    assert subject.loader.unet_state == ()
    states = []
    for each in sets:
        subject.loader.activate([each.lora_weights])
        states.append(subject.loader.unet_state)
    assert len({*states, ()}) == len(sets) + 1
    for each, state in zip(sets, states, strict=True):
        subject.loader.activate([()])
        assert subject.loader.unet_state == ()
        subject.loader.activate([each.lora_weights])
        assert subject.loader.unet_state == state


def test_equal_states_are_the_same_tensors(subject: Subject) -> None:
    both, other = subject.load("one", "delta"), subject.load("other")

    def tensors() -> list[int]:
        terms = [values.data_ptr() for layer in subject.layers() for values in layer.terms[0][:2]]
        return terms + [values.data_ptr() for values in subject.pipeline.unet.parameters()]

    plain = tensors()
    subject.loader.activate([both.lora_weights])
    active = tensors()
    for each in (other.lora_weights, ()):
        subject.loader.activate([each])
    assert tensors() == plain
    subject.loader.activate([both.lora_weights])
    assert tensors() == active != plain


@pytest.mark.parametrize("name", ["one", "delta"])
def test_a_lora_that_is_evicted_and_loaded_again_has_another_state(subject: Subject, name: str) -> None:
    weights = subject.load(name).lora_weights
    subject.loader.activate([weights])
    before = subject.loader.unet_state
    subject.loader.activate([()])
    subject.evict()
    again = subject.load(name)
    assert again.lora_weights == weights
    subject.loader.activate([weights])
    assert subject.loader.unet_state != before


def test_loading_and_the_text_encoders_change_neither_the_unet_nor_its_state(subject: Subject) -> None:
    one = subject.load("one")
    subject.loader.activate([one.lora_weights])
    state, layers = subject.loader.unet_state, subject.layers()
    other, text = subject.load("other"), subject.load("text")
    subject.loader.activate_on_text_encoders(other.lora_weights)
    assert subject.loader.unet_state == state
    assert subject.layers() == layers
    subject.loader.activate([text.lora_weights])
    assert subject.loader.unet_state == ()


def test_a_unet_without_active_loras_consists_of_its_own_modules(subject: Subject) -> None:
    before = list(subject.pipeline.unet.named_modules())
    one, text = subject.load("one"), subject.load("text")
    assert list(subject.pipeline.unet.named_modules()) == before
    for active in (one, text):
        subject.loader.activate([active.lora_weights])
    assert list(subject.pipeline.unet.named_modules()) == before


def test_only_the_layers_of_either_set_are_touched(subject: Subject) -> None:
    one = subject.load("one")
    subject.loader.activate([one.lora_weights])
    adapted = len(subject.layers())
    assert 0 < adapted < len([each for each in subject.pipeline.unet.modules() if hasattr(each, "weight")])
    assert all(len(layer.terms) == 1 for layer in subject.layers())


def test_an_evicted_lora_is_not_kept_by_the_layers(subject: Subject) -> None:
    subject.loader.activate([subject.load("one").lora_weights])
    layers = subject.layers()
    subject.loader.activate([()])
    assert not any(layer.terms for layer in layers)


def test_a_failed_activation_leaves_plain_layers(demo_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = tiny_models.sd(demo_model)
    layer = next(iter(LoraLayers(pipeline)._layers.values()))
    before = layer.module.weight
    good, bad = (
        LayerChanges({}, {layer: Delta({"diff": torch.ones(shape)}, 1.0)}) for shape in (before.shape, (5,))
    )
    active = ActiveLoras(DeviceCache())
    active.activate([(good, 1.0)])
    assert layer.module.weight is not before
    with pytest.raises(RuntimeError):
        active.activate([(bad, 1.0)])
    assert active.state == ()
    assert layer.module.weight is before
    active.activate([(good, 1.0)])
    assert layer.module.weight is not before
