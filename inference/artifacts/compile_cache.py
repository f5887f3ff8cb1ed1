"""torch.compile's cache artifacts in the data bucket, shared between containers."""

import logging
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from contract.keys import compiled_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOGGER = logging.getLogger(__name__)


class S3CompileCache:
    """The compile cache of one model. S3 errors are logged only: the model can be compiled again."""

    def __init__(self, s3: "S3Client", bucket: str, model: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._model = model

    def read(self, machine: str) -> bytes | None:
        """See `inference.engine.interface.CompileCache.read`."""
        try:
            key = compiled_key(self._model, machine)
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None
        except (ClientError, BotoCoreError) as error:
            _LOGGER.warning("the compile cache could not be read: %s", error)
            return None

    def write(self, machine: str, artifacts: bytes) -> None:
        """See `inference.engine.interface.CompileCache.write`."""
        try:
            self._s3.put_object(Bucket=self._bucket, Key=compiled_key(self._model, machine), Body=artifacts)
        except (ClientError, BotoCoreError) as error:
            _LOGGER.warning("the compile cache could not be written: %s", error)
