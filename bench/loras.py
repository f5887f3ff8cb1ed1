"""`python -m bench.loras`: the UNet's host time with LoRAs, and batches of different LoRAs.

The UNets have the layers of Stable Diffusion 1.5 and XL, few channels and random weights.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from torch import nn

from bench.figures import markdown
from inference.diffusion.adapters.device_cache import DeviceCache
from inference.diffusion.adapters.loaded_lora import LoadedLora
from inference.diffusion.adapters.loras import Loras
from inference.engine.interface import AdapterFile
from inference.models.loading import default_device_and_dtype

_TEXT_WIDTH = 32
_SAMPLE_SIZE = 8
_SETS, _ROWS = 4, 16
_WEIGHT = 0.8
_LAYERS = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out")
_UNETS: Mapping[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "Stable Diffusion 1.5": ((1, 2, 4, 4), {"attention_head_dim": 8}),
    "SDXL": (
        (1, 2, 4),
        {
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            "transformer_layers_per_block": (1, 2, 10),
            "attention_head_dim": (2, 4, 8),
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": _TEXT_WIDTH + 6 * 8,
        },
    ),
}
"""Channels of the blocks, in units of the first one's, and settings."""


Arm = tuple[Callable[[], None], Callable[[], None]]
"""A preparation, and the call that is timed."""


@dataclass(frozen=True)
class _Subject:
    """A UNet with loaded LoRAs that change the same layers, one with merged LoRAs, and one without any."""

    unet: Any
    merging_unet: Any
    untouched: Any
    loras: Loras
    merging: Loras
    sets: list[LoadedLora]
    merged: list[LoadedLora]
    load_s: list[float]

    @classmethod
    def of(cls, name: str, directory: Path, *, width: int, rank: int) -> "_Subject":
        unet, merging_unet, untouched = (_unet(name, width) for _ in range(3))
        loras, merging = (
            Loras(SimpleNamespace(unet=each), DeviceCache(), merge=each is merging_unet)
            for each in (unet, merging_unet)
        )
        sets, merged, load_s = [], [], []
        for index in range(_SETS):
            file = _lora_file(unet, directory / f"{index}.safetensors", rank)
            started_at = time.perf_counter()
            sets.append(loras.load(file))
            load_s.append(time.perf_counter() - started_at)
            merged.append(merging.load(file))
        return cls(unet, merging_unet, untouched, loras, merging, sets, merged, load_s)

    def weights(self, index: int) -> tuple[tuple[str, float], ...]:
        return ((self.sets[index].id, _WEIGHT),)

    def forward(self, rows: int, unet: Any = None) -> None:
        unet = self.unet if unet is None else unet
        with torch.inference_mode():
            unet(**_inputs(unet, rows), return_dict=False)

    def by_set(self) -> None:
        for index in range(_SETS):
            self.loras.activate([self.weights(index)])
            self.forward(_ROWS // _SETS)

    def arms(self) -> dict[str, Arm]:
        activate, merge = self.loras.activate, self.merging.activate
        none, one, other = ([()], [self.weights(0)], [self.weights(1)])
        mixed = [self.weights(row % _SETS) for row in range(_ROWS)]
        return {
            "2 rows, no LoRA was ever loaded": (lambda: None, lambda: self.forward(2, self.untouched)),
            "2 rows, 4 LoRAs loaded, none active": (lambda: activate(none), lambda: self.forward(2)),
            "2 rows, one active": (lambda: activate(one), lambda: self.forward(2)),
            "2 rows, one merged": (lambda: merge(one), lambda: self.forward(2, self.merging_unet)),
            "change from none to one": (lambda: activate(none), lambda: activate(one)),
            "change from one to another": (lambda: activate(one), lambda: activate(other)),
            "change from one to none": (lambda: activate(one), lambda: activate(none)),
            "change from one merged to another": (lambda: merge(one), lambda: merge(other)),
            "change of the rows of a mixed batch": (
                lambda: activate(mixed),
                lambda: activate(mixed[1:] + mixed[:1]),
            ),
            "16 rows, none active": (lambda: activate(none), lambda: self.forward(_ROWS)),
            "16 rows, one active": (lambda: activate(one), lambda: self.forward(_ROWS)),
            "16 rows, one merged": (lambda: merge(one), lambda: self.forward(_ROWS, self.merging_unet)),
            "16 rows, 4 LoRAs mixed": (lambda: activate(mixed), lambda: self.forward(_ROWS)),
            "4 times 4 rows, one LoRA each": (lambda: activate(none), self.by_set),
        }


def main() -> int:
    """Measures, and prints a Markdown table."""
    arguments = _parser().parse_args()
    torch.set_num_threads(arguments.threads)
    columns = []
    with tempfile.TemporaryDirectory() as directory:
        for name in _UNETS:
            subject = _Subject.of(name, Path(directory), width=arguments.width, rank=arguments.rank)
            columns.append(_measure(subject, arguments.rounds))
    rows = [(measure, *(column[measure] for column in columns)) for measure in columns[0]]
    print(markdown(("ms", *_UNETS), rows))
    return 0


def _measure(subject: _Subject, rounds: int) -> dict[str, str]:
    """Medians over interleaved rounds, after one that warms up."""
    arms = subject.arms()
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    for number in range(rounds + 1):
        for name, (prepare, call) in arms.items():
            prepare()
            elapsed = _elapsed_s(call, subject.unet.device)
            if number:
                seconds[name].append(elapsed)
    figures = {name: f"{1000 * statistics.median(each):.1f}" for name, each in seconds.items()}
    layers = {"layers with LoRAs": str(len(subject.sets[0].unet.low_rank))}
    return layers | figures | {"loading": f"{1000 * statistics.median(subject.load_s[1:]):.0f}"}


def _elapsed_s(call: Callable[[], None], device: torch.device) -> float:
    _synchronize(device)
    started_at = time.perf_counter()
    call()
    _synchronize(device)
    return time.perf_counter() - started_at


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _unet(name: str, width: int) -> Any:
    factors, settings = _UNETS[name]
    device, dtype = default_device_and_dtype()
    torch.manual_seed(0)
    unet: Any = UNet2DConditionModel(
        sample_size=_SAMPLE_SIZE,
        block_out_channels=tuple(width * factor for factor in factors),
        cross_attention_dim=_TEXT_WIDTH,
        norm_num_groups=4,
        **settings,
    )
    return unet.eval().requires_grad_(False).to(device=device, dtype=dtype)


def _inputs(unet: Any, rows: int) -> dict[str, Any]:
    options = {"device": unet.device, "dtype": unet.dtype}
    inputs: dict[str, Any] = {
        "sample": torch.randn(rows, 4, _SAMPLE_SIZE, _SAMPLE_SIZE, **options),
        "timestep": torch.full((rows,), 500.0, device=unet.device),
        "encoder_hidden_states": torch.randn(rows, 77, _TEXT_WIDTH, **options),
    }
    if unet.config.addition_embed_type is not None:
        inputs["added_cond_kwargs"] = {
            "text_embeds": torch.randn(rows, _TEXT_WIDTH, **options),
            "time_ids": torch.ones(rows, 6, **options),
        }
    return inputs


def _lora_file(unet: nn.Module, path: Path, rank: int) -> AdapterFile:
    weights = {}
    for name, layer in unet.named_modules():
        if isinstance(layer, nn.Linear | nn.Conv2d) and name.endswith(_LAYERS):
            outputs, *inputs = layer.weight.shape
            weights[f"unet.{name}.lora_A.weight"] = 0.1 * torch.randn(rank, *inputs)
            weights[f"unet.{name}.lora_B.weight"] = 0.1 * torch.randn(outputs, rank, *[1] * (len(inputs) - 1))
    save_file(weights, path)
    return AdapterFile(path.stem, path, path.stem)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.loras", description=__doc__)
    parser.add_argument("--width", type=int, default=16, help="channels of the first block")
    parser.add_argument("--rank", type=int, default=16, help="of the LoRAs")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch on the CPU")
    parser.add_argument("--rounds", type=int, default=15, help="measurements of each")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
