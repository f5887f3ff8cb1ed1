"""The signing secret in Secrets Manager."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_CACHE_S = 300


class SecretsManagerSigningKeys:
    """The versions AWSCURRENT and AWSPREVIOUS of a secret, cached for five minutes."""

    def __init__(
        self,
        secrets: "SecretsManagerClient",
        secret_arn: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secrets = secrets
        self._secret_arn = secret_arn
        self._clock = clock
        self._keys: tuple[bytes, ...] = ()
        self._read_at = 0.0

    def read(self) -> tuple[bytes, ...]:
        if not self._keys or self._clock() - self._read_at >= _CACHE_S:
            self._keys = self._fetch()
            self._read_at = self._clock()
        return self._keys

    def _fetch(self) -> tuple[bytes, ...]:
        current = self._version("AWSCURRENT")
        try:
            return current, self._version("AWSPREVIOUS")
        except self._secrets.exceptions.ResourceNotFoundException:
            return (current,)

    def _version(self, stage: str) -> bytes:
        answer = self._secrets.get_secret_value(SecretId=self._secret_arn, VersionStage=stage)
        return answer["SecretString"].encode()
