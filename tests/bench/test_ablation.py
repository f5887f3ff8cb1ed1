"""Engines with parts left out."""

import sys
from dataclasses import dataclass

import pytest

from bench.ablation import main
from bench.engine_backend import ImageBatcher, RecordingBatcher, padding_when_evenly_spread
from inference.diffusion.denoising.batcher import BatchKey


@dataclass(frozen=True)
class Image:
    rows: int
    batch_key: BatchKey = BatchKey(64, 64, 77)  # noqa: RUF009


def test_batches_of_images_do_not_mix_guidance_and_are_padded_to_powers_of_two() -> None:
    slots = [Image(2), Image(1), Image(2), Image(2)]
    by_rows, by_images = RecordingBatcher(max_batch_size=8), ImageBatcher(max_batch_size=8)
    assert by_rows.next_batch(slots).rows == 8
    assert by_images.next_batch(slots).rows == 8
    assert (by_rows.counted.images, by_rows.counted.padding) == (4, 1)
    assert (by_images.counted.images, by_images.counted.padding) == (3, 2)


def test_padding_is_at_most_a_tenth_of_the_rows_if_batch_sizes_are_evenly_spread() -> None:
    assert 0 < padding_when_evenly_spread(max_batch_size=8) <= 0.1


@pytest.mark.filterwarnings("ignore")
def test_the_table_has_a_row_for_each_part(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = "--size 64 --steps 1 --clients 2 --requests-per-client 1 --pairs 1"
    monkeypatch.setattr(sys, "argv", ["ablation", *options.split()])
    assert main() == 0
    rows = [line.split(" | ")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert rows[2:] == ["| batches", "| rows instead of images", "| rows with LoRAs of their own"]
