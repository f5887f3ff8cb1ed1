"""Check of the adapters in the models bucket: their file names, and whether the container can read them."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter, ValidationError

from contract import keys
from contract.adapters import ADAPTER_KINDS, DIRECTORY, AdapterKind
from contract.options import AdapterName
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, passed, warning
from operations.doctor.container_code import UnusableAdapterError, read_adapter
from operations.doctor.s3_directory import S3Directory, models_bucket

_KINDS = {kind.prefix.removeprefix(keys.ADAPTERS_PREFIX): kind for kind in ADAPTER_KINDS}
"""Adapter kinds by their directory under the adapters' prefix."""

_NAME: TypeAdapter[str] = TypeAdapter(AdapterName)
_MAX_PICKLE_BYTES = 2 << 30
"""Pickles are downloaded whole; a ControlNet in float32 has 1.4 GB."""

_MAX_CONFIG_BYTES = 16 << 20
"""Of files in directories, where weights of other formats than safetensors are not read."""


@dataclass(frozen=True)
class AdaptersInS3:
    """All files under the adapters' prefix have valid names, and the container can read them."""

    aws: Aws
    stage: str
    name: str = "adapters"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        bucket = models_bucket(self.aws, self.stage)
        directory = S3Directory(self.aws.client("s3"), bucket, keys.ADAPTERS_PREFIX)
        adapters = _group_by_adapter(directory.files())
        found = ((path, _problem(directory, path, files)) for path, files in adapters.items())
        problems = [f"{path} {problem}" for path, problem in found if problem]
        if problems:
            return warning(
                f"{directory.uri}: {'; '.join(problems)}",
                "replace, rename or remove these files: requests that name them are rejected",
            )
        return passed(f"{', '.join(adapters) or 'none'} at {directory.uri}")


def _group_by_adapter(files: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """The files of each adapter with their sizes, by its path: `loras/moon.safetensors`, `vaes/clear/`."""
    adapters: dict[str, dict[str, int]] = {}
    for file, size in sorted(files.items()):
        parts = PurePosixPath(file).parts
        adapter = "/".join(parts[:2]) + (DIRECTORY if len(parts) > 2 else "")
        adapters.setdefault(adapter, {})[file] = size
    return adapters


def _problem(directory: S3Directory, path: str, files: Mapping[str, int]) -> str | None:
    """The reason why an adapter cannot be used; None if it can.

    Args:
        directory: the adapters' prefix.
        path: the adapter's path below the prefix; a directory ends with a slash.
        files: its files below the prefix, and their sizes.
    """
    parent, slash, file_name = path.partition("/")
    kind = _KINDS.get(parent + slash)
    if kind is None:
        return f"is not in a directory of adapters: {', '.join(_KINDS)}"
    suffix = next((each for each in kind.suffixes if file_name.endswith(each)), None)
    if suffix is None:
        return f"is not {' or '.join(map(_format_name, kind.suffixes))}"
    try:
        _NAME.validate_python(file_name.removesuffix(suffix))
    except ValidationError as error:
        return f"has an invalid name: {error.errors()[0]['msg'].removeprefix('Value error, ')}"
    return _content_problem(kind, directory, path, files)


def _content_problem(
    kind: AdapterKind, directory: S3Directory, path: str, files: Mapping[str, int]
) -> str | None:
    """The reason why the container cannot read an adapter; None if it can."""
    is_directory = path.endswith(DIRECTORY)
    if not is_directory and not path.endswith(".safetensors") and files[path] > _MAX_PICKLE_BYTES:
        return f"is a pickle of more than {_MAX_PICKLE_BYTES >> 30} GiB, which is not read here; convert it"
    with tempfile.TemporaryDirectory() as scratch:
        try:
            directory.copy(
                files, Path(scratch), max_bytes=_MAX_CONFIG_BYTES if is_directory else _MAX_PICKLE_BYTES
            )
            read_adapter(kind, Path(scratch, path))
        except (UnusableAdapterError, ValueError) as error:
            return str(error)
    return None


def _format_name(suffix: str) -> str:
    return "a directory" if suffix == DIRECTORY else f"a {suffix} file"
