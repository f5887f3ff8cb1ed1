"""What a stock container loads: `code/inference.py` of a packaged model; see `inference.package`."""

from pathlib import Path

# The container imports this file as the module `inference`. With a path it is the package of that name too,
# whose other modules lie beside it.
__path__ = [str(Path(__file__).parent / "package" / "inference")]

from inference.script_mode import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
