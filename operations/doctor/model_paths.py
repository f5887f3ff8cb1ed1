"""Paths of model files that SageMaker refuses to download."""

from collections import Counter
from collections.abc import Collection, Iterator

_MAX_NAME_BYTES = 255


def path_problems(paths: Collection[str]) -> Iterator[str]:
    """The reasons why SageMaker would not download the objects under a prefix as a model's files.

    The rules are those of `S3ModelDataSource` in SageMaker's API reference: no empty or blank names, no null
    bytes, at most 255 bytes, neither `.` nor `..`, and no name for both a file and a directory. A key that
    ends with a slash, as the S3 console creates for a folder, has an empty file name.

    Args:
        paths: the keys of the objects, relative to the prefix.
    """
    for path in paths:
        if not path or path.endswith("/"):
            yield f"{path or 'the prefix itself'!r} is an object for a folder"
        elif any(_is_invalid(name) for name in path.split("/")):
            yield f"{path!r} has an empty, blank, relative or too long name"
    directories = Counter(
        path[:index] for path in paths for index, character in enumerate(path) if character == "/"
    )
    for path in paths:
        if path in directories:
            yield f"{path!r} is both a file and a directory"


def _is_invalid(name: str) -> bool:
    return not name.strip() or name in (".", "..") or "\0" in name or len(name.encode()) > _MAX_NAME_BYTES
