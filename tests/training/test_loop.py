"""The training loop and its checkpoints."""

from pathlib import Path

import torch
from torch import nn

from training.loop import train


def fit(checkpoint: Path, stop_after: int | None = None, steps: int = 600) -> nn.Linear:
    """Trains on y = 2x + 1, interrupted at step `stop_after`."""
    torch.manual_seed(0)
    model = nn.Linear(1, 1)

    def loss_of(step: int) -> torch.Tensor:
        if step == stop_after:
            raise KeyboardInterrupt
        x = torch.randn(16, 1, generator=torch.Generator().manual_seed(step))
        return ((model(x) - 2 * x - 1) ** 2).mean()

    try:
        train(model, loss_of, steps=steps, learning_rate=0.1, checkpoint=checkpoint, decay=0.9)
    except KeyboardInterrupt:
        assert stop_after is not None
    return model


def test_the_weights_converge(tmp_path: Path) -> None:
    model = fit(tmp_path / "a.pt")
    assert abs(model.weight.item() - 2) < 0.05
    assert abs(model.bias.item() - 1) < 0.05


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    uninterrupted = fit(tmp_path / "uninterrupted.pt")
    fit(tmp_path / "interrupted.pt", stop_after=400)
    resumed = fit(tmp_path / "interrupted.pt")
    assert torch.equal(uninterrupted.weight, resumed.weight)
    assert torch.equal(uninterrupted.bias, resumed.bias)
