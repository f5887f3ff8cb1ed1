"""What requests may name beside the model, in the models bucket: whether it can be loaded, by its names."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from pydantic import TypeAdapter, ValidationError

from contract import keys
from contract.adapters import ADAPTER_KINDS, DIRECTORY
from contract.options import AdapterName
from operations.doctor.aws import Aws
from operations.doctor.check import Finding, doubtful, passed
from operations.doctor.model_directory import weights
from operations.doctor.model_in_s3 import S3Directory, models_bucket

_KINDS = {kind.prefix.removeprefix(keys.ADAPTERS_PREFIX): kind for kind in ADAPTER_KINDS}
"""By the directories under the adapters' prefix."""

_NAME: TypeAdapter[str] = TypeAdapter(AdapterName)


@dataclass(frozen=True)
class AdaptersInS3:
    """Everything under the adapters' prefix can be named by requests and loaded."""

    aws: Aws
    stage: str
    name: str = "adapters"

    def run(self) -> Finding:
        """See `Check.run`."""
        bucket = models_bucket(self.aws, self.stage)
        directory = S3Directory(self.aws.client("s3"), bucket, keys.ADAPTERS_PREFIX)
        entries = _entries(directory.sizes())
        found = [fault for entry, files in entries.items() if (fault := _fault(entry, files))]
        if found:
            return doubtful(
                f"{directory.uri}: {'; '.join(found)}",
                "mend or remove them: requests that name them are refused",
            )
        return passed(f"{', '.join(entries) or 'none'} at {directory.uri}")


def _entries(files: Mapping[str, int]) -> dict[str, list[str]]:
    """The files of each adapter, by its path: `loras/moon.safetensors`, `controlnets/canny/`."""
    entries: dict[str, list[str]] = {}
    for file in sorted(files):
        parts = PurePosixPath(file).parts
        entry = "/".join(parts[:2]) + (DIRECTORY if len(parts) > 2 else "")
        entries.setdefault(entry, []).append("/".join(parts[1:]))
    return entries


def _fault(entry: str, files: list[str]) -> str | None:
    """What is wrong with an adapter, in a clause.

    Args:
        entry: its path below the prefix; a directory's ends with a slash.
        files: below its kind's directory.
    """
    directory, slash, own = entry.partition("/")
    kind = _KINDS.get(directory + slash)
    if kind is None:
        return f"{entry} is of no kind that is looked for: {', '.join(_KINDS)}"
    ending = next((each for each in kind.endings if own.endswith(each)), None)
    if ending is None:
        return f"{entry} is not {' or '.join(map(_in_words, kind.endings))}"
    try:
        _NAME.validate_python(own.removesuffix(ending))
    except ValidationError:
        return f"{entry} has a name that no request can say: letters, digits, dots, hyphens and underscores"
    if ending == DIRECTORY and not weights(files):
        return f"{entry} has no safetensors weights, and no others are loaded"
    return None


def _in_words(ending: str) -> str:
    return "a directory" if ending == DIRECTORY else f"a {ending} file"
