"""Reading the stages of cdk.json, before validation."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


class CdkJsonError(RuntimeError):
    """cdk.json cannot be read, or it has no stages; the message gives the reason."""


def read_context(root: Path = ROOT) -> dict[str, Any]:
    """The context of `root`/cdk.json: the stages and the CDK's feature flags.

    Raises:
        CdkJsonError: the file cannot be read, or it has no stages.
    """
    try:
        document = json.loads((root / "cdk.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CdkJsonError(f"cdk.json cannot be read: {error}") from error
    context = document.get("context") if isinstance(document, dict) else None
    if not isinstance(context, dict) or not isinstance(context.get("stages"), dict):
        raise CdkJsonError("cdk.json has no object context.stages")
    return context
