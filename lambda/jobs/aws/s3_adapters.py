"""Objects of adapters in S3."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from contract.adapters import AdapterKind
from contract.s3_hosts import S3_HOSTS
from jobs.errors import AdaptersUnavailableError
from jobs.ports import AdapterObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

CLIENT = Config(
    s3=S3_HOSTS, connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)
"""The configuration of the client. A page that S3 does not send takes eight seconds."""

_MAX_PAGES = 20
"""Of 1,000 objects, whose parsing takes 65 ms of a whole processor; the function has a third of one."""


class S3AdapterObjects:
    """The first 20,000 objects below the prefix of a kind of adapters."""

    def __init__(self, s3: "S3Client", bucket: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Creates the adapter.

        Args:
            s3: a client with the configuration `CLIENT`.
            bucket: the models bucket.
            clock: seconds.
        """
        self._s3 = s3
        self._bucket = bucket
        self._clock = clock

    def of(self, kind: AdapterKind, *, until: float) -> Iterator[AdapterObject]:
        try:
            for each in self._list(kind, until):
                if each["Size"]:
                    yield AdapterObject(key=each["Key"], size=each["Size"], modified_at=each["LastModified"])
        except (ClientError, BotoCoreError) as error:
            raise AdaptersUnavailableError(f"S3 could not list the {kind.name}s") from error

    def _list(self, kind: AdapterKind, until: float) -> "Iterator[ObjectTypeDef]":
        options: Any = {} if kind.has_directories else {"Delimiter": "/"}
        paginator = self._s3.get_paginator("list_objects_v2")
        pages = iter(paginator.paginate(Bucket=self._bucket, Prefix=kind.prefix, **options))
        for _ in range(_MAX_PAGES):
            if self._clock() > until:
                raise AdaptersUnavailableError(f"S3 did not list the {kind.name}s in time")
            page = next(pages, None)
            if page is None:
                return
            yield from page.get("Contents", [])
