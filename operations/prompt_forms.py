"""The forms of AUTOMATIC1111's prompts, for docs/compatibility.md."""

from dataclasses import dataclass

from contract.prompts.conjunction import MAX_PROMPTS
from contract.prompts.errors import MAX_NESTING, MAX_WEIGHT
from contract.prompts.prompt import MAX_TEXTS


@dataclass(frozen=True)
class PromptForm:
    """A form of prompts.

    Attributes:
        example: a prompt.
        meaning: or, for a form that is refused, the reason.
        accepted: whether requests may contain it.
        negative: whether the example is a negative prompt.
    """

    example: str
    meaning: str
    accepted: bool = True
    negative: bool = False


PROMPT_FORMS = (
    PromptForm("a (word)", "weight 1.1"),
    PromptForm(
        "a (word:1.3)", f"weight 1.3; nested weights multiply, up to {MAX_WEIGHT:g} on either side of 0"
    ),
    PromptForm("a [word]", "weight 1 / 1.1"),
    PromptForm(r"a \(word\)", "literal brackets"),
    PromptForm("a BREAK b", "a new chunk"),
    PromptForm("[a:b:0.25]", "a, and b after a quarter of the steps"),
    PromptForm("[a:b:10]", "a, and b after step 10; numbers without a point count evaluations, as there"),
    PromptForm("[b:0.25]", "nothing, and then b"),
    PromptForm("[a::0.25]", "a, and then nothing"),
    PromptForm("[a|b|c]", "one text after the other, one a step"),
    PromptForm("[[a|b]:(c:1.2):0.5]", f"forms in each other, up to {MAX_NESTING} levels"),
    PromptForm("[a:b:1.5]", "of a request with `hires`: changes in the middle of the hires pass"),
    PromptForm("a cat :1.2 AND a dog", f"the weighted sum of up to {MAX_PROMPTS} prompts' predictions"),
    PromptForm("a <lora:moon:0.8>", "a LoRA, as in `loras`; `lyco` is another word for it"),
    PromptForm("a AND b", "in a negative prompt, AND is a word, as there", negative=True),
    PromptForm("<lora:moon:0.5:0.8>", "different weights for text encoder and UNet", accepted=False),
    PromptForm(
        "<lora:moon:1>", "LoRAs of a negative prompt; there they are words", accepted=False, negative=True
    ),
    PromptForm("<hypernet:moon:1>", "hypernetworks", accepted=False),
    PromptForm("(word:1000)", "weights that no model is made for", accepted=False),
    PromptForm("[a:b:1e99]", "numbers beyond a million", accepted=False),
    PromptForm(
        "[" + "|".join(f"w{index}" for index in range(MAX_TEXTS + 1)) + "]",
        f"more than {MAX_TEXTS} different texts over the steps",
        accepted=False,
    ),
)
