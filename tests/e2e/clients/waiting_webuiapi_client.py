"""Generates an image with the client `webuiapi` of PyPI, and prints a JSON report with its seconds.

The client sends nothing again by itself: its user does, until the image is there.

Arguments: the API's URL, a key, and the prompts, which are sent at once.
"""

import io
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PIL import Image
from webuiapi import WebUIApi

LIMIT_S = 120

api_url, key, *prompts = sys.argv[1:]


def image_of(prompt: str) -> Image.Image:
    """The image, from as many requests as it takes."""
    api = WebUIApi(baseurl=f"{api_url}/sdapi/v1", username="key", password=key)
    until = time.monotonic() + LIMIT_S
    while True:
        try:
            return api.txt2img(prompt=prompt, width=128, height=128).image
        except RuntimeError as error:
            status, _ = error.args
            if status != 503 or time.monotonic() > until:
                raise


def generated(prompt: str) -> dict[str, Any]:
    """The first bytes of the image as a PNG file, and the seconds that it took."""
    started = time.monotonic()
    image, file = image_of(prompt), io.BytesIO()
    image.save(file, "PNG")
    return {"start": file.getvalue()[:8].hex(), "seconds": time.monotonic() - started}


with ThreadPoolExecutor() as threads:
    print(json.dumps(list(threads.map(generated, prompts))))
