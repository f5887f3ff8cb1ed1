"""Why transfers fail, in words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from contract.identifiers import S3Location


class Obstacle(StrEnum):
    """Why something could not be transferred."""

    MISSING = "missing"
    FORBIDDEN = "forbidden"
    UNSAFE = "unsafe"
    NO_ROOM = "no_room"
    CHANGED = "changed"
    DAMAGED = "damaged"
    UNREACHABLE = "unreachable"


_BY_S3_CODE = {
    "NoSuchKey": Obstacle.MISSING,
    "NoSuchBucket": Obstacle.MISSING,
    "404": Obstacle.MISSING,
    "AccessDenied": Obstacle.FORBIDDEN,
    "403": Obstacle.FORBIDDEN,
    "PreconditionFailed": Obstacle.CHANGED,
    "412": Obstacle.CHANGED,
    "InvalidRange": Obstacle.CHANGED,
}
_SENTENCES = {
    Obstacle.MISSING: "{uri} does not exist.",
    Obstacle.UNSAFE: "{uri} would lie outside the directory it is fetched into; rename it.",
    Obstacle.FORBIDDEN: "{uri} may not be accessed, or does not exist; check the role's permissions.",
    Obstacle.NO_ROOM: "{uri} does not fit the disk; make room, or choose a machine with a larger disk.",
    Obstacle.CHANGED: "{uri} was changed while it was being read; try again when its upload has ended.",
    Obstacle.DAMAGED: "{uri} did not arrive as S3 keeps it; try again.",
    Obstacle.UNREACHABLE: "{uri} could not be transferred ({cause}); try again.",
}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class TransferError(Exception):
    """A transfer has failed; the message is a sentence that names the object."""

    def __init__(self, obstacle: Obstacle, location: S3Location, *, cause: str = "") -> None:
        super().__init__(_SENTENCES[obstacle].format(uri=location.uri, cause=cause))
        self.obstacle = obstacle


@contextmanager
def translated(location: S3Location) -> Iterator[None]:
    """Makes a TransferError of whatever happens to the object in the block."""
    try:
        yield
    except (ClientError, S3UploadFailedError) as error:
        answer = error if isinstance(error, ClientError) else error.__context__
        if not isinstance(answer, ClientError):
            raise TransferError(Obstacle.UNREACHABLE, location, cause=type(error).__name__) from error
        raise TransferError(obstacle_of(answer), location, cause=_code(answer)) from error
    except OSError as error:
        obstacle = Obstacle.NO_ROOM if error.errno in _NO_ROOM else Obstacle.UNREACHABLE
        raise TransferError(obstacle, location, cause=type(error).__name__) from error
    except (BotoCoreError, ValueError) as error:
        raise TransferError(Obstacle.UNREACHABLE, location, cause=type(error).__name__) from error


def obstacle_of(error: ClientError) -> Obstacle:
    """What S3's answer means."""
    return _BY_S3_CODE.get(_code(error), Obstacle.UNREACHABLE)


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
