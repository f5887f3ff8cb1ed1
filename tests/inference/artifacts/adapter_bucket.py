"""Writes adapters into a models bucket."""

from typing import Any

MODELS = "models"


def put(s3: Any, key: str, body: bytes) -> None:
    """Writes an object under `adapters/` in the bucket `MODELS`."""
    s3.put_object(Bucket=MODELS, Key=f"adapters/{key}", Body=body)
