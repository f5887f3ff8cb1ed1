"""Check of the adapters in the models bucket, by their file names."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from pydantic import TypeAdapter, ValidationError

from contract import keys
from contract.adapters import ADAPTER_KINDS, DIRECTORY
from contract.options import AdapterName
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, passed, warning
from operations.doctor.model_directory import weights
from operations.doctor.model_in_s3 import S3Directory, models_bucket

_KINDS = {kind.prefix.removeprefix(keys.ADAPTERS_PREFIX): kind for kind in ADAPTER_KINDS}
"""Adapter kinds by their directory under the adapters' prefix."""

_NAME: TypeAdapter[str] = TypeAdapter(AdapterName)


@dataclass(frozen=True)
class AdaptersInS3:
    """All files under the adapters' prefix have valid names and formats."""

    aws: Aws
    stage: str
    name: str = "adapters"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        bucket = models_bucket(self.aws, self.stage)
        directory = S3Directory(self.aws.client("s3"), bucket, keys.ADAPTERS_PREFIX)
        adapters = _group_by_adapter(directory.sizes())
        problems = [problem for path, files in adapters.items() if (problem := _problem(path, files))]
        if problems:
            return warning(
                f"{directory.uri}: {'; '.join(problems)}",
                "replace, rename or remove these files: requests that name them are rejected",
            )
        return passed(f"{', '.join(adapters) or 'none'} at {directory.uri}")


def _group_by_adapter(files: Mapping[str, int]) -> dict[str, list[str]]:
    """The files of each adapter, by the adapter's path: `loras/moon.safetensors`, `controlnets/canny/`.

    The files are relative to the directory of the adapter's kind.
    """
    adapters: dict[str, list[str]] = {}
    for file in sorted(files):
        parts = PurePosixPath(file).parts
        adapter = "/".join(parts[:2]) + (DIRECTORY if len(parts) > 2 else "")
        adapters.setdefault(adapter, []).append("/".join(parts[1:]))
    return adapters


def _problem(path: str, files: list[str]) -> str | None:
    """The reason why an adapter cannot be used; None if it can.

    Args:
        path: the adapter's path below the prefix; a directory ends with a slash.
        files: its files, relative to the directory of its kind.
    """
    directory, slash, file_name = path.partition("/")
    kind = _KINDS.get(directory + slash)
    if kind is None:
        return f"{path} is not in a directory of adapters: {', '.join(_KINDS)}"
    suffix = next((each for each in kind.suffixes if file_name.endswith(each)), None)
    if suffix is None:
        return f"{path} is not {' or '.join(map(_format_name, kind.suffixes))}"
    try:
        _NAME.validate_python(file_name.removesuffix(suffix))
    except ValidationError:
        return f"{path} has an invalid name: use letters, digits, dots, hyphens and underscores"
    if suffix == DIRECTORY and not weights(files):
        return f"{path} has no safetensors weights; other formats are not loaded"
    return None


def _format_name(suffix: str) -> str:
    return "a directory" if suffix == DIRECTORY else f"a {suffix} file"
