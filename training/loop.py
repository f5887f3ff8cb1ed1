"""The one training loop: AdamW, a cosine schedule, a moving average of the weights, checkpoints."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers.optimization import get_scheduler
from diffusers.training_utils import EMAModel
from torch import nn
from tqdm import tqdm

_CHECKPOINT_EVERY = 250
_GRADIENT_NORM = 1.0

Parts = Mapping[str, Any]
"""What a checkpoint keeps the state of, by name."""

LossOf = Callable[[int], torch.Tensor]
"""The loss of step number n: it draws its batch from a generator seeded with n, so that a resumed run
goes on as if it had never been interrupted."""


def train(
    model: nn.Module,
    loss_of: LossOf,
    *,
    steps: int,
    learning_rate: float,
    checkpoint: Path,
    decay: float = 0.999,
) -> None:
    """Trains `model` in place and leaves the moving average of its weights in it.

    Args:
        model: everything that is trained.
        loss_of: gives each step's loss.
        steps: in all, those of an interrupted run included.
        learning_rate: the highest; reached after a twentieth of the steps, then falling to zero.
        checkpoint: the file to resume from, if it is there, and to write every few hundred steps.
        decay: of the moving average.
    """
    parameters = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=learning_rate, betas=(0.9, 0.99), weight_decay=1e-3, fused=True
    )
    schedule = get_scheduler("cosine", optimizer, num_warmup_steps=steps // 20, num_training_steps=steps)
    average = EMAModel(parameters, decay=decay, use_ema_warmup=True, power=0.75)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule, "average": average}
    done = _resume(checkpoint, parts)
    smoothed = None
    with tqdm(range(done, steps), initial=done, total=steps, desc=checkpoint.stem, mininterval=5) as bar:
        for step in bar:
            loss = loss_of(step)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, _GRADIENT_NORM)
            optimizer.step()
            schedule.step()
            average.step(parameters)
            value = loss.item()
            smoothed = value if smoothed is None else 0.98 * smoothed + 0.02 * value
            bar.set_postfix(loss=f"{smoothed:.4f}", refresh=False)
            if (step + 1) % _CHECKPOINT_EVERY == 0:
                _save(checkpoint, step + 1, parts)
    average.copy_to(parameters)


def _save(path: Path, done: int, parts: Parts) -> None:
    partial = path.with_suffix(".partial")
    torch.save({"done": done} | {name: part.state_dict() for name, part in parts.items()}, partial)
    partial.replace(path)


def _resume(path: Path, parts: Parts) -> int:
    """Takes up the checkpoint, if there is one, and gives the steps that it has done."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    done: int = state["done"]
    return done
