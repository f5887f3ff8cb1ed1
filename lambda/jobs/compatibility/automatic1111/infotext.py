"""The web UI's parameters text ("infotext"), parsed."""

import json
import re

_NEGATIVE = "Negative prompt:"
_PARAMETER = re.compile(r'\s*(\w[\w \-/]*):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
_SIZE = re.compile(r"([0-9]{1,9})x([0-9]{1,9})")
_MIN_PARAMETERS = 3
"""A last line with fewer belongs to the prompt."""


def parse_infotext(text: str) -> dict[str, str]:
    """The prompts and the parameters by the names that the web UI gives them: `Size-1`, `Size-2`, ..."""
    *lines, last = text.strip().split("\n")
    parameters = _PARAMETER.findall(last)
    if len(parameters) < _MIN_PARAMETERS:
        lines, parameters = [*lines, last], []
    prompts: dict[str, list[str]] = {"Prompt": [], "Negative prompt": []}
    current = "Prompt"
    for line in map(str.strip, lines):
        if line.startswith(_NEGATIVE):
            current = "Negative prompt"
        prompts[current].append(line.removeprefix(_NEGATIVE).strip())
    found = {name: "\n".join(each) for name, each in prompts.items()}
    for name, written in parameters:
        value = _unquoted(written)
        if size := _SIZE.fullmatch(value):
            found |= {f"{name}-1": size[1], f"{name}-2": size[2]}
        else:
            found[name] = value
    return found


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text.strip()
    try:
        return str(json.loads(text))
    except ValueError:
        return text
