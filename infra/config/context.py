"""The context of the CDK application: cdk.json, cdk.context.json, and what the CLI passes.

The CDK's own reading of it loses every `null` on the way from JavaScript to Python.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PASSED = "CDK_CONTEXT_JSON"
_PASSED_IN_A_FILE = "CONTEXT_OVERFLOW_LOCATION_ENV"
"""The CLI's variables, by their names in the CDK; the second is for what does not fit into the first."""


def read_context(directory: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """The context of the application in `directory`; later sources replace the variables of earlier ones.

    The CLI's variables contain the files too, which are read for `python app.py` to produce the same
    templates. cdk.context.json has what the CLI has looked up in accounts, such as availability zones.
    """
    context = dict(json.loads((directory / "cdk.json").read_text(encoding="utf-8"))["context"])
    lookups = directory / "cdk.context.json"
    if lookups.exists():
        context |= json.loads(lookups.read_text(encoding="utf-8"))
    context |= json.loads(environment.get(_PASSED) or "{}")
    if overflow := environment.get(_PASSED_IN_A_FILE):
        context |= json.loads(Path(overflow).read_text(encoding="utf-8"))
    return context
