"""Generates an image with the client `replicate` of PyPI, and prints a JSON report with its seconds.

Arguments: the API's URL, a key and a prompt.
"""

import json
import sys
import time
from urllib.request import urlopen

import replicate

api_url, key, prompt = sys.argv[1:]
client = replicate.Client(base_url=f"{api_url}/replicate", api_token=key)
started = time.monotonic()
(url,) = client.run("anyone/demo", input={"prompt": prompt}, use_file_output=False)
seconds = time.monotonic() - started
print(json.dumps([{"start": urlopen(url).read(8).hex(), "seconds": seconds}]))  # noqa: S310 - a local link
