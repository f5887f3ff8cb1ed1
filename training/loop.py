"""The training loop: AdamW, cosine learning rate schedule, exponential moving average, checkpoints."""

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

Stateful = Mapping[str, Any]
"""The objects whose state dicts a checkpoint holds, by name."""

LossOf = Callable[[int], torch.Tensor]
"""The loss of a step, which must depend on the step number and the weights only, so that a resumed run equals
an uninterrupted one."""


def train(
    model: nn.Module,
    loss_of: LossOf,
    *,
    steps: int,
    learning_rate: float,
    checkpoint: Path,
    decay: float = 0.999,
) -> None:
    """Trains `model` in place; it ends with the moving average of its weights.

    Args:
        model: the module; parameters that require no gradient stay as they are.
        loss_of: the loss of each step.
        steps: in total, including those of an interrupted run.
        learning_rate: the maximum, reached after a twentieth of the steps; it then falls to zero.
        checkpoint: file to resume from, if it exists, and to write every 250 steps.
        decay: of the moving average.
    """
    parameters = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=learning_rate, betas=(0.9, 0.99), weight_decay=1e-3, fused=True
    )
    schedule = get_scheduler("cosine", optimizer, num_warmup_steps=steps // 20, num_training_steps=steps)
    average = EMAModel(parameters, decay=decay, use_ema_warmup=True, power=0.75)
    stateful = {"model": model, "optimizer": optimizer, "schedule": schedule, "average": average}
    done = _resume(checkpoint, stateful)
    smoothed = None
    with tqdm(range(done, steps), initial=done, total=steps, desc=checkpoint.stem, mininterval=5) as bar:
        for step in bar:
            loss = loss_of(step)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, _GRADIENT_NORM)
            optimizer.step()
            schedule.step()
            average.step(parameters)
            value = loss.item()
            smoothed = value if smoothed is None else 0.98 * smoothed + 0.02 * value
            bar.set_postfix(loss=f"{smoothed:.4f}", refresh=False)
            if (step + 1) % _CHECKPOINT_EVERY == 0:
                _save(checkpoint, step + 1, stateful)
    average.copy_to(parameters)


def _save(path: Path, done: int, stateful: Stateful) -> None:
    partial = path.with_suffix(".partial")
    torch.save({"done": done} | {name: each.state_dict() for name, each in stateful.items()}, partial)
    partial.replace(path)


def _resume(path: Path, stateful: Stateful) -> int:
    """Loads the checkpoint, if there is one, and returns the number of steps done."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    for name, each in stateful.items():
        each.load_state_dict(state[name])
    done: int = state["done"]
    return done
