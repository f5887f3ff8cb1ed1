"""Uses the API with the client `openai` of PyPI, and prints a JSON report.

Arguments: the API's URL, a key, an image, its mask, and a mask that selects nothing.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from openai import APIStatusError, OpenAI

api_url, key, image, mask, opaque_mask = sys.argv[1:]
client = OpenAI(base_url=f"{api_url}/v1", api_key=key)
QUICK: dict[str, Any] = {"size": "128x128", "extra_body": {"seed": 7, "steps": 4}}


def edited(mask_path: str, prompt: str) -> str | None:
    """The edited image in base64."""
    with Path(image).open("rb") as image_file, Path(mask_path).open("rb") as mask_file:
        answer = client.images.edit(
            image=[image_file], mask=mask_file, prompt=prompt, model="gpt-image-1", **QUICK
        )
    return answer.data[0].b64_json


def refusal(call: Any, **given: Any) -> dict[str, Any]:
    """The error of a call, as the client shows it."""
    try:
        call(**given)
    except APIStatusError as error:
        return {
            "class": type(error).__name__,
            "status": error.status_code,
            "code": error.code,
            "param": error.param,
            "message": error.message,
        }
    return {}


generated = client.images.generate(
    prompt="a big yellow star on a blue background", model="gpt-image-1", n=2, quality="low", **QUICK
)
(linked,) = client.images.generate(prompt="a red circle", model="dall-e-3", style="vivid", **QUICK).data
stranger = OpenAI(base_url=f"{api_url}/v1", api_key="wrong" * 8)
generate = client.images.generate

print(
    json.dumps(
        {
            "models": [(each.id, each.object, each.owned_by) for each in client.models.list()],
            "size": generated.size,
            "format": generated.output_format,
            "generated": [base64.b64decode(each.b64_json)[:8].hex() for each in generated.data],
            "linked": urlopen(linked.url).read(8).hex(),  # noqa: S310 - a link of the local stack
            "edited": edited(mask, "a red circle"),
            "opaque_mask": refusal(edited, mask_path=opaque_mask, prompt="a blue star"),
            "transparent": refusal(generate, prompt="a", background="transparent"),
            "size_beyond_limits": refusal(generate, prompt="a", size="1792x1024"),
            "unknown": refusal(generate, prompt="a", extra_body={"frames": 2}),
            "unknown_model": refusal(generate, prompt="a", model="flux"),
            "wrong_key": refusal(stranger.images.generate, prompt="a"),
        }
    )
)
