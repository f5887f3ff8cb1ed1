"""Prompt editing: texts that change between steps, as in AUTOMATIC1111's web UI.

| syntax | text |
| --- | --- |
| `[a:b:0.25]` | a, and b after a quarter of the steps |
| `[a:b:10]` | a, and b after step 10 |
| `[b:0.25]`, `[a::0.25]` | nothing and then b; a and then nothing |
| `[a|b|c]` | a in the first step, b in the second, c in the third, a in the fourth, and so on |

A number with a decimal point is a share of the steps, any other one counts them. The forms can be nested in
each other and in emphasis. Brackets that do not match, or that match and have none of these forms, are left
to the parser of emphasis, as are those around them.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import lcm

from contract.prompts.errors import MAX_NESTING, PromptError, number

_TOKEN = re.compile(r"\\.|[\[\]():|]|[^\\\[\]():|]+|\\")
_OPENING = {"]": "[", ")": "("}


@dataclass(frozen=True)
class Scheduled:
    """A text that another one replaces after some steps.

    Attributes:
        before: the first text.
        after: the second text.
        when: as it was written, a share or a number of steps.
    """

    before: "Nodes"
    after: "Nodes"
    when: str

    def last_step(self, steps: int) -> int:
        """The last step with the first text, counted from 1; 0 or less for none."""
        value = float(self.when)
        return min(steps, int(value * steps if "." in self.when else value))


@dataclass(frozen=True)
class Alternating:
    """Texts that take turns, one a step."""

    options: tuple["Nodes", ...]


Node = str | Scheduled | Alternating
Nodes = tuple[Node, ...]


class EditedPrompt:
    """A prompt whose text may change between steps."""

    def __init__(self, prompt: str) -> None:
        """Parses a prompt.

        Raises:
            PromptError: brackets are nested too deeply, or a number of steps is too large.
        """
        self.nodes: Nodes = _Parser().parse(prompt) if "[" in prompt else (prompt,)

    @cached_property
    def is_edited(self) -> bool:
        """Whether the text can change."""
        return any(not isinstance(each, str) for each in self.nodes)

    def texts(self, steps: int) -> Iterator[str]:
        """The text of each denoiser evaluation.

        The web UI counts evaluations from 0 and steps from 1, and compares the two: the first text lasts one
        evaluation longer than its number of steps says.

        Args:
            steps: that shares refer to: those of the sampler, twice as many if it evaluates twice a step.
        """
        inner = list(_inner(self.nodes))
        ends = sorted({each.last_step(steps) for each in inner if isinstance(each, Scheduled)})
        period = lcm(*(len(each.options) for each in inner if isinstance(each, Alternating)))
        known: dict[tuple[int, int], str] = {}
        for step in (max(evaluation, 1) for evaluation in range(steps)):
            key = bisect_left(ends, step), (step - 1) % period
            if key not in known:
                known[key] = "".join(_text(self.nodes, step, steps))
            yield known[key]


def second_pass_text(prompt: str, *, first_pass: int, second_pass: int) -> str:
    """The prompt of the hires pass, as in the web UI, in the same syntax.

    Shares from 1 to 2 and numbers above the steps of the first pass refer to the hires pass; texts that
    change before have changed when it begins.

    Args:
        prompt: one without tags and AND.
        first_pass: steps of the first pass, as in `EditedPrompt.texts`.
        second_pass: steps of the hires pass that are run.
    """
    edited = EditedPrompt(prompt)
    return "".join(_shifted(edited.nodes, first_pass, second_pass)) if edited.is_edited else prompt


def _shifted(nodes: Nodes, first_pass: int, second_pass: int) -> Iterator[str]:
    def text(part: Nodes) -> str:
        return "".join(_shifted(part, first_pass, second_pass))

    for node in nodes:
        match node:
            case Scheduled(before, after, when):
                value = float(when)
                last = int((value - 1) * second_pass if "." in when else value - first_pass)
                yield f"[{text(before)}:{text(after)}:{max(last, 0)}]"
            case Alternating(options):
                yield f"[{'|'.join(map(text, options))}]"
            case str():
                yield node


def _inner(nodes: Nodes) -> Iterator[Scheduled | Alternating]:
    for node in nodes:
        if isinstance(node, str):
            continue
        yield node
        for part in (node.before, node.after) if isinstance(node, Scheduled) else node.options:
            yield from _inner(part)


def _text(nodes: Nodes, step: int, steps: int) -> Iterator[str]:
    for node in nodes:
        match node:
            case Scheduled():
                yield from _text(node.before if step <= node.last_step(steps) else node.after, step, steps)
            case Alternating(options):
                yield from _text(options[(step - 1) % len(options)], step, steps)
            case str():
                yield node


class _Bracket:
    """An open bracket: its content, divided at the marks `:` and `|`."""

    def __init__(self, opening: str) -> None:
        self.opening = opening
        self.parts: list[list[Node]] = [[]]
        self.marks: list[str] = []

    def literal(self) -> Iterator[Node]:
        yield self.opening
        for part, mark in zip(self.parts, [*self.marks, ""], strict=True):
            yield from part
            yield mark

    def closed(self) -> Sequence[Node] | None:
        """The nodes of the bracket if it closes here; None if it has none of the forms."""
        marks = set(self.marks)
        if self.opening == "(":
            return [*self.literal(), ")"] if "|" not in marks and len(self.marks) <= 1 else None
        if not marks:
            return [*self.literal(), "]"]
        if marks == {"|"}:
            return [Alternating(tuple(map(tuple, self.parts)))]
        if marks == {":"} and len(self.marks) <= 2:
            *texts, last = self.parts
            when = "".join(each if isinstance(each, str) else "[]" for each in last).strip()
            if number(when) is not None:
                before = texts[0] if len(texts) > 1 else []
                return [Scheduled(tuple(before), tuple(texts[-1]), when)]
        return None


class _Parser:
    """Recognizes the forms in one pass over the prompt, in time proportional to its length."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._open: list[_Bracket] = []

    def parse(self, prompt: str) -> Nodes:
        for match in _TOKEN.finditer(prompt):
            self._feed(match[0])
        self._abandon()
        return tuple(each for each in self._nodes if each != "")

    def _feed(self, token: str) -> None:
        if token in ("[", "("):
            if len(self._open) == MAX_NESTING:
                raise PromptError(f"has brackets nested more than {MAX_NESTING} levels deep; remove some")
            self._open.append(_Bracket(token))
        elif token in _OPENING:
            self._close(token)
        elif token in (":", "|") and self._open:
            self._open[-1].marks.append(token)
            self._open[-1].parts.append([])
        else:
            self._content.append(token)

    @property
    def _content(self) -> list[Node]:
        return self._open[-1].parts[-1] if self._open else self._nodes

    def _close(self, token: str) -> None:
        if self._open and self._open[-1].opening == _OPENING[token]:
            nodes = self._open[-1].closed()
            if nodes is not None:
                self._open.pop()
                self._content.extend(nodes)
                return
        self._abandon()
        self._nodes.append(token)

    def _abandon(self) -> None:
        """Makes all open brackets literal: the web UI's grammar has no form for what they contain."""
        for bracket in self._open:
            self._nodes.extend(bracket.literal())
        self._open.clear()
