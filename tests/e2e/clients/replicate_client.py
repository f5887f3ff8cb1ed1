"""Uses the API with the client `replicate` of PyPI, and prints a JSON report.

Arguments: the API's URL, a key, an image and its mask.
"""

import json
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import replicate
from replicate.exceptions import ReplicateError

api_url, key, image, mask = sys.argv[1:]
client = replicate.Client(base_url=f"{api_url}/replicate", api_token=key)
QUICK = {"prompt": "a big red star on a blue background", "num_inference_steps": 4, "seed": 7}
SLOW = {"prompt": "a red circle", "num_inference_steps": 100, "num_outputs": 4, "width": 256, "height": 256}


def signatures(output: list[str]) -> list[str]:
    """The first bytes of the images."""
    return [urlopen(each).read(8).hex() for each in output]  # noqa: S310 - links of the local stack


def refusal(**given: Any) -> dict[str, Any]:
    """The error of a request, as the client shows it."""
    try:
        client.run("anyone/demo", input=given)
    except ReplicateError as error:
        return error.to_dict()
    return {}


generated = client.run("anyone/demo", input={**QUICK, "num_outputs": 2}, use_file_output=False)
version = client.models.get("anyone/demo").latest_version
with Path(image).open("rb") as image_file, Path(mask).open("rb") as mask_file:
    edited = client.run(
        f"anyone/demo:{version.id}",
        input={**QUICK, "image": image_file, "mask": mask_file, "prompt_strength": 0.6},
        use_file_output=False,
    )
slow = client.predictions.create("demo", SLOW, wait=1)
status_after_waiting = slow.status
slow.cancel()
slow.wait()
listed = client.predictions.list().results

print(
    json.dumps(
        {
            "generated": signatures(generated),
            "edited": signatures(edited),
            "after_waiting": status_after_waiting,
            "canceled": slow.status,
            "listed": [each.status for each in listed],
            "metrics": [*(listed[-1].metrics or {})],
            "refused": refusal(prompt="a", aspect_ratio="16:9"),
            "beyond_limits": refusal(prompt="a", num_inference_steps=900),
        }
    )
)
