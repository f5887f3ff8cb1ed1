"""The caller of the API."""

import hashlib
from dataclasses import dataclass

_DIRECTORY_CHARACTERS = 16


@dataclass(frozen=True)
class Caller:
    """An authenticated caller.

    Attributes:
        id: the API key, IAM principal or Cognito user, such as `key:a1b2c3`.
    """

    id: str

    @property
    def directory(self) -> str:
        """The name of the caller's directory of uploads, which does not show the caller's id."""
        return hashlib.sha256(self.id.encode()).hexdigest()[:_DIRECTORY_CHARACTERS]
