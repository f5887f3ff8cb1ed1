"""The forms of prompts in docs/compatibility.md are accepted and refused as it says."""

import pytest

from contract.generation import InvalidRequestError
from operations.prompt_forms import PROMPT_FORMS, PromptForm
from tests.contract.parsing import resolve

STEPS = 50


def errors_of(form: PromptForm) -> list[str]:
    body = {"prompt": "x", "negative_prompt" if form.negative else "prompt": form.example}
    try:
        resolve(**body, steps=STEPS, sampler="heun")
    except InvalidRequestError as error:
        return [each.pointer for each in error.errors]
    return []


@pytest.mark.parametrize("form", PROMPT_FORMS, ids=lambda form: form.example[:30])
def test_a_form_is_accepted_or_refused_as_the_page_says(form: PromptForm) -> None:
    field = "negative_prompt" if form.negative else "prompt"
    assert errors_of(form) == ([] if form.accepted else [f"#/{field}"])


def test_every_accepted_form_has_an_effect() -> None:
    """Emphasis and BREAK are effects of the text encoder; the others change what it encodes."""
    for form in PROMPT_FORMS:
        if not form.accepted or form.negative:
            continue
        generation = resolve(prompt=form.example, steps=STEPS)
        texts = {stage.texts.prompts for stage in generation.prompt_stages}
        changed = texts != {(form.example,)} or generation.active_loras
        assert changed or any(mark in form.example for mark in ("(", "[", "BREAK")), form.example
