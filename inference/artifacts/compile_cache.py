"""Packages of compiled code in the data bucket, shared between containers."""

import hashlib
import logging
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from contract.keys import compiled_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOGGER = logging.getLogger(__name__)
_DIGEST = "sha256"
_MAX_BYTES = 256 << 20
"""Of a package; those of Stable Diffusion XL have less than a tenth of it."""


class S3CompileCache:
    """The packages of all models. S3 errors are logged only: what is missing is compiled again."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def read(self, name: str) -> bytes | None:
        """See `inference.engine.interface.CompileCache.read`."""
        try:
            stored = self._s3.get_object(Bucket=self._bucket, Key=compiled_key(name))
            package = stored["Body"].read(_MAX_BYTES)
        except self._s3.exceptions.NoSuchKey:
            return None
        except (ClientError, BotoCoreError) as error:
            _LOGGER.warning("the compile cache could not be read: %s", error)
            return None
        if stored["Metadata"].get(_DIGEST) != hashlib.sha256(package).hexdigest():
            _LOGGER.warning("%s is damaged and not used", compiled_key(name))
            return None
        return package

    def write(self, name: str, package: bytes) -> None:
        """See `inference.engine.interface.CompileCache.write`."""
        digest = hashlib.sha256(package).hexdigest()
        try:
            self._s3.put_object(
                Bucket=self._bucket, Key=compiled_key(name), Body=package, Metadata={_DIGEST: digest}
            )
        except (ClientError, BotoCoreError) as error:
            _LOGGER.warning("the compile cache could not be written: %s", error)
