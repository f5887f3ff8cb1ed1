"""Objects of adapters in S3."""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from contract.adapters import AdapterKind
from contract.s3_hosts import S3_HOSTS
from jobs.errors import AdaptersUnavailableError
from jobs.ports import AdapterObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CLIENT = Config(
    s3=S3_HOSTS, connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)
"""The configuration of the client. A listing ends before its function does, whatever S3 does."""

_MAX_PAGES = 50
"""Of 1,000 objects."""

_MAX_SECONDS = 9.0


class S3AdapterObjects:
    """The first 50,000 objects below the prefix of a kind of adapters."""

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

    def of(self, kind: AdapterKind) -> Iterator[AdapterObject]:
        begun = self._clock()
        options: Any = {} if kind.has_directories else {"Delimiter": "/"}
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=kind.prefix, **options
        )
        try:
            for page in islice(pages, _MAX_PAGES):
                for each in page.get("Contents", []):
                    if each["Size"]:
                        yield AdapterObject(
                            key=each["Key"], size=each["Size"], modified_at=each["LastModified"]
                        )
                if self._clock() - begun > _MAX_SECONDS:
                    raise AdaptersUnavailableError(f"S3 did not list the {kind.name}s in time")
        except (ClientError, BotoCoreError) as error:
            raise AdaptersUnavailableError(f"S3 could not list the {kind.name}s") from error
