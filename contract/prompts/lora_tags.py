"""LoRAs in prompts: `<lora:name>` and `<lora:name:weight>`, with `lyco` as another word for `lora`.

As in AUTOMATIC1111's web UI, a tag applies to the whole generation wherever it stands, and leaves no words.
"""

import re
from dataclasses import dataclass

from pydantic import ValidationError

from contract.options import Lora
from contract.prompts.errors import PromptError, echo, number

_TAG = re.compile(r"<(lora|lyco|hypernet):([^<>]*)>", re.IGNORECASE)
_KINDS = ("lora", "lyco")


@dataclass(frozen=True)
class TaggedPrompt:
    """A prompt whose tags are taken out.

    Attributes:
        text: without the tags.
        loras: of the tags, in their order.
        tags: as they were written.
    """

    text: str
    loras: tuple[Lora, ...] = ()
    tags: tuple[str, ...] = ()


def split_tags(prompt: str) -> TaggedPrompt:
    """The prompt without its tags, and their LoRAs.

    Raises:
        PromptError: a tag has no usable name or weight, or asks for what is not supported.
    """
    matches = list(_TAG.finditer(prompt))
    text = _TAG.sub("", prompt) if matches else prompt
    if matches and _TAG.search(text):
        raise PromptError("has a tag inside another one; write them one after the other")
    return TaggedPrompt(text, tuple(map(_lora, matches)), tuple(match[0] for match in matches))


def tag_of(lora: Lora) -> str | None:
    """The tag of a LoRA, which parses to an equal one; None if its name cannot be written in a tag."""
    if set(lora.name) & set("<>:"):
        return None
    short = f"{lora.weight:g}"
    return f"<lora:{lora.name}:{short if float(short) == lora.weight else repr(lora.weight)}>"


def _lora(match: re.Match[str]) -> Lora:
    kind, tag = match[1], echo(match[0])
    if kind not in _KINDS:
        if kind.lower() in _KINDS:
            raise PromptError(f"contains {tag}; write {kind.lower()} in lower-case letters")
        raise PromptError(f"contains {tag}; hypernetworks are not supported: remove it")
    name, *options = match[2].split(":")
    weight = _weight(options, tag)
    try:
        return Lora(name=name, weight=weight)
    except ValidationError as error:
        reasons = "; ".join(
            f"{each['loc'][0]}: {each['msg'].removeprefix('Value error, ').replace('Input should ', 'must ')}"
            for each in error.errors(include_url=False, include_input=False)
        )
        raise PromptError(f"contains {tag}: {reasons}; correct the tag or remove it") from error


def _weight(options: list[str], tag: str) -> float:
    """The one weight of the options: by position those of the text encoder and the UNet, or by name."""
    given = []
    for position, option in enumerate(options):
        key, separator, value = option.partition("=")
        if (key.strip() not in ("te", "unet")) if separator else position > 1:
            raise PromptError(
                f"contains {tag}, which has options other than a weight; write <lora:name:weight>"
            )
        weight = number(value if separator else option)
        if weight is None:
            raise PromptError(f"contains {tag}, whose weight is not a number; write <lora:name:weight>")
        given.append(weight)
    if len(set(given)) > 1:
        raise PromptError(
            f"contains {tag}, which has different weights for text encoder and UNet; give one weight for both"
        )
    return given[0] if given else 1.0
