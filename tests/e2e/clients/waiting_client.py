"""Generates an image with the client `openai` of PyPI, and prints a JSON report with its seconds.

Arguments: the API's URL, a key, and the prompts, which are sent at once.
"""

import base64
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from openai import OpenAI

api_url, key, *prompts = sys.argv[1:]
client = OpenAI(base_url=f"{api_url}/v1", api_key=key)


def generated(prompt: str) -> dict[str, Any]:
    """The first bytes of the image, and the seconds that it took."""
    started = time.monotonic()
    (image,) = client.images.generate(prompt=prompt, model="demo").data
    return {
        "start": base64.b64decode(image.b64_json)[:8].hex(),
        "seconds": time.monotonic() - started,
    }


with ThreadPoolExecutor() as threads:
    print(json.dumps(list(threads.map(generated, prompts))))
