"""The stages as cdk.json has them, before anything is made of them."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


class CdkJsonError(RuntimeError):
    """cdk.json cannot be read; the message says why."""


def read_context(root: Path = ROOT) -> dict[str, Any]:
    """The context of cdk.json: its stages, and the flags that CDK is run with.

    Raises:
        CdkJsonError: see there.
    """
    try:
        document = json.loads((root / "cdk.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CdkJsonError(f"cdk.json cannot be read: {error}") from error
    context = document.get("context") if isinstance(document, dict) else None
    if not isinstance(context, dict) or not isinstance(context.get("stages"), dict):
        raise CdkJsonError("cdk.json has no stages in its context")
    return context
