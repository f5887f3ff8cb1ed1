"""Hostile request bodies."""

import json
import time
from collections.abc import Callable, Mapping

import httpx

from local.stack import LocalStack

_TIMEOUT_S = 60

BODIES: Mapping[str, Callable[[], bytes]] = {
    "nested 100,000 deep": lambda: b'{"prompt":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an integer of 4,300 digits": lambda: b'{"prompt": "x", "seed": ' + b"9" * 4300 + b"}",
    "20,000 unknown fields": lambda: json.dumps(
        {"prompt": "x"} | {f"field_{number}": number for number in range(20_000)}
    ).encode(),
    "a sampler of a million characters": lambda: json.dumps(
        {"prompt": "x", "sampler": "e" * 1_000_000}
    ).encode(),
    "a list of 100,000 LoRAs": lambda: json.dumps({"prompt": "x", "loras": ["moon"] * 100_000}).encode(),
}


def attack_with_body(stack: LocalStack, body: bytes) -> tuple[int, int, float]:
    """The status, the size of the answer in bytes, and the seconds that it took."""
    headers = {"x-api-key": stack.address.api_key}
    started_at = time.monotonic()
    response = httpx.post(
        f"{stack.address.api_url}/v1/jobs", content=body, headers=headers, timeout=_TIMEOUT_S
    )
    return response.status_code, len(response.content), time.monotonic() - started_at
