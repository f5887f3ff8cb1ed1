"""Which adapters are in the models bucket."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract.adapters import DIRECTORY, AdapterKind
from inference.artifacts.disk_cache import digest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SHOWN_NAMES = 12
"""What is listed of what there is, if there is no more."""


@dataclass(frozen=True)
class Found:
    """An adapter in the bucket.

    Attributes:
        key: of its object, or the prefix of its directory.
        ending: what follows its name.
        version: differs where the content does.
        size_bytes: of all its objects.
    """

    key: str
    ending: str
    version: str
    size_bytes: int


def find(s3: "S3Client", bucket: str, kind: AdapterKind, name: str) -> Found | None:
    """The adapter with the preferred ending, among those that are there."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{kind.prefix}{name}")
    objects = [item for page in pages for item in page.get("Contents", []) if item["Size"]]
    for ending in kind.endings:
        key = f"{kind.prefix}{name}{ending}"
        own = [
            item
            for item in objects
            if item["Key"] == key or (ending == DIRECTORY and item["Key"].startswith(key))
        ]
        if own:
            version = digest(*(part for item in own for part in (item["Key"], item["ETag"])))
            return Found(key, ending, version, sum(item["Size"] for item in own))
    return None


def names_of(s3: "S3Client", bucket: str, kind: AdapterKind) -> list[str]:
    """Names of adapters of this kind, and more than are shown only if there are."""
    answer = s3.list_objects_v2(Bucket=bucket, Prefix=kind.prefix, Delimiter="/", MaxKeys=10 * SHOWN_NAMES)
    keys = [item["Key"] for item in answer.get("Contents", [])]
    keys += [item["Prefix"] for item in answer.get("CommonPrefixes", [])]
    named = {
        key.removeprefix(kind.prefix).removesuffix(ending)
        for key in keys
        for ending in kind.endings
        if key.endswith(ending)
    }
    return sorted(named - {""})
