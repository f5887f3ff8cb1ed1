"""Lookup of adapters in the models bucket by name."""

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract.adapters import DIRECTORY, AdapterKind
from inference.artifacts.disk_cache import digest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_LISTED_NAMES = 12
"""Number of names up to which an error lists the available adapters."""


@dataclass(frozen=True)
class BucketAdapter:
    """An adapter in the models bucket.

    Attributes:
        key: of its object, or the prefix of its directory.
        suffix: the part of the key after the name.
        version: changes with the content.
        size_bytes: of all its objects together.
    """

    key: str
    suffix: str
    version: str
    size_bytes: int


def find_adapter(s3: "S3Client", bucket: str, kind: AdapterKind, name: str) -> BucketAdapter | None:
    """The adapter of this name, with the preferred suffix among those present; None if there is none."""
    for form in dict.fromkeys((name, unicodedata.normalize("NFD", name))):  # macOS writes file names in NFD
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{kind.prefix}{form}")
        objects = [item for page in pages for item in page.get("Contents", []) if item["Size"]]
        for suffix in kind.suffixes:
            key = f"{kind.prefix}{form}{suffix}"
            own = [
                item
                for item in objects
                if item["Key"] == key or (suffix == DIRECTORY and item["Key"].startswith(key))
            ]
            if own:
                version = digest(*(part for item in own for part in (item["Key"], item["ETag"])))
                return BucketAdapter(key, suffix, version, sum(item["Size"] for item in own))
    return None


def list_adapter_names(s3: "S3Client", bucket: str, kind: AdapterKind) -> list[str]:
    """The names of the adapters of a kind, as in requests; if there are very many, only the first ones."""
    response = s3.list_objects_v2(
        Bucket=bucket, Prefix=kind.prefix, Delimiter="/", MaxKeys=10 * MAX_LISTED_NAMES
    )
    keys = [item["Key"] for item in response.get("Contents", [])]
    keys += [item["Prefix"] for item in response.get("CommonPrefixes", [])]
    return sorted({place.name for key in keys if (place := kind.place_of(key))})
