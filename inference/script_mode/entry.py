"""`code/inference.py` of a packaged model, which AWS's container imports."""

import sys
from pathlib import Path

_PACKAGES = Path(__file__).parent / "package"

sys.path.insert(0, str(_PACKAGES))  # for `contract` and `guarded_http`
# The container imports this file as the module `inference`; `__path__` makes it the package of that name.
__path__ = [str(_PACKAGES / "inference")]

from inference.script_mode.functions import input_fn, model_fn, output_fn, predict_fn  # noqa: E402

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
