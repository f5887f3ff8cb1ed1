"""The life of a job in docs/reliability.md, generated from the table that the code uses."""

from collections.abc import Iterator

from jobs.lifecycle import TRANSITIONS, Event, JobStatus, Transition
from operations.stages import ROOT

DOCUMENT = ROOT / "docs" / "reliability.md"
_BEGIN = "<!-- The life of a job is generated from lambda/jobs/lifecycle.py: make docs -->\n"
_END = "<!-- end of the life of a job -->\n"
_HEADING = "| event | in the status | to the status | caused by |\n| --- | --- | --- | --- |"


def render() -> str:
    """The whole of docs/reliability.md, with the life of a job as it is in the code now."""
    before, _, rest = DOCUMENT.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    diagram = "\n".join(f"    {line}" for line in _edges())
    rows = "\n".join(_row(event, transition) for event, transition in TRANSITIONS.items())
    return (
        f"{before}{_BEGIN}\n```mermaid\nstateDiagram-v2\n{diagram}\n```\n\n"
        f"{_HEADING}\n{rows}\n\n{_END}{after}"
    )


def _edges() -> Iterator[str]:
    for event, (sources, target, _) in TRANSITIONS.items():
        for source in sources or ("[*]",):
            if event is Event.DELETE:
                yield f"{source} --> [*]: {event}"
            elif target is not None:
                yield f"{source} --> {target}: {event}"


def _row(event: Event, transition: Transition) -> str:
    sources = ", ".join(map(_name, transition.sources)) or "none"
    target = "none" if event is Event.DELETE else "the same"
    if transition.target is not None:
        target = _name(transition.target)
    return f"| {event} | {sources} | {target} | {', '.join(transition.causes)} |"


def _name(status: JobStatus) -> str:
    return f"`{status}`"
