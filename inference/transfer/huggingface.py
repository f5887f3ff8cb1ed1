"""Models from the Hugging Face hub: which of a repository's files are needed, and fetching them."""

import errno
import logging
import re
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils.tqdm import disable_progress_bars
from pydantic import TypeAdapter

from contract.source import HubSource
from inference.observability.logs import adopt

_LOGGER = logging.getLogger(__name__)
_INDEX = "model_index.json"
_SHARD = re.compile(r"-\d{5}-of-\d{5}")
_INDEX_CONTENT = TypeAdapter(dict[str, Any])
_TEXTS = {".json", ".model", ".txt"}
_OTHER_WEIGHTS = {".bin", ".ckpt", ".h5", ".msgpack", ".onnx", ".pt", ".pth"}


class HubError(Exception):
    """The model cannot be had from the hub; the message names the field and the remedy."""


def fetch_model(
    source: HubSource, directory: Path, *, token: str | None, endpoint: str | None = None
) -> Path:
    """A diffusers directory with the source's files: with fp16 weights where it has them.

    Files that an earlier call has completed are not fetched again.

    Args:
        source: the repository and its commit.
        directory: where models are put, each in a directory of its own.
        token: what the repository is opened with; None is anonymous.
        endpoint: the hub's address; None is the public one.

    Raises:
        HubError: whatever kept the model from being fetched.
    """
    adopt("huggingface_hub")
    disable_progress_bars()
    hub = HfApi(endpoint=endpoint, token=token or False)
    target = directory / source.revision

    def download(names: list[str]) -> None:
        hub.snapshot_download(source.id, revision=source.revision, local_dir=target, allow_patterns=names)

    try:
        names = hub.list_repo_files(source.id, revision=source.revision)
        if _INDEX not in names:
            raise HubError(
                f"model_source.id: {source.id} has no {_INDEX}; name a repository in the diffusers layout."
            )
        download([_INDEX])
        chosen = select_files(names, _components(target / _INDEX))
        _LOGGER.info("fetching %d files of %s at %s", len(chosen), source.id, source.revision)
        download(chosen)
    except (OSError, RuntimeError, ValueError, httpx2.HTTPError) as error:
        raise HubError(_explain(error, source, hub.endpoint)) from error
    return target


def select_files(names: Iterable[str], components: Collection[str]) -> list[str]:
    """The files that a pipeline of these components is loaded from.

    Args:
        names: the repository's files.
        components: the directories that its index names.

    Raises:
        HubError: a component has weights, but none in safetensors.
    """
    paths = [PurePosixPath(name) for name in names]
    chosen = []
    for component in components:
        files = [path for path in paths if path.parent == PurePosixPath(component)]
        weights = [path for path in files if ".safetensors" in path.suffixes]
        variant = "fp16" if any(_variant(path) == "fp16" for path in weights) else ""
        wanted = [path for path in weights if _variant(path) == variant]
        if not wanted and any(path.suffix in _OTHER_WEIGHTS | {".safetensors"} for path in files):
            raise HubError(
                f"model_source: {component} has no safetensors weights, and no others are loaded; "
                "name a revision, or a repository, that has them."
            )
        chosen += wanted
        chosen += [path for path in files if path.suffix in _TEXTS and path not in weights]
    return [str(path) for path in chosen]


def _variant(weights: PurePosixPath) -> str:
    """`fp16` for `model.fp16-00001-of-00002.safetensors` and its index; empty for `model.safetensors`."""
    words = _SHARD.sub("", weights.name).split(".")[1:]
    return ".".join(word for word in words if word not in ("safetensors", "index", "json"))


def _components(index: Path) -> list[str]:
    """The directories that a pipeline's index names; a component that is left out is null there."""
    described = _INDEX_CONTENT.validate_json(index.read_bytes())
    return [name for name, value in described.items() if isinstance(value, list) and any(value)]


def _explain(error: Exception, source: HubSource, endpoint: str) -> str:
    """What is wrong, in a sentence that names the field and the remedy."""
    if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    match error:
        case GatedRepoError():
            return (
                f"model_source.id: {source.id} is gated; accept its terms at {endpoint}/{source.id} and put "
                "a token of the same account into the secret that model_source.token_secret_arn names."
            )
        case RepositoryNotFoundError():
            return (
                f"model_source.id: {source.id} does not exist, or is private; correct the id, or let "
                "model_source.token_secret_arn name a secret with a token that may read it."
            )
        case RevisionNotFoundError():
            return (
                f"model_source.revision: {source.id} has no commit {source.revision}; "
                "take a full hash from its history."
            )
        case HfHubHTTPError() if error.response.status_code in (401, 403):
            return (
                f"model_source.token_secret_arn: the hub refuses access to {source.id}; "
                "let it name a secret with a valid token that may read the repository."
            )
        case OSError(errno=errno.ENOSPC):
            return (
                f"model_source.id: {source.id} does not fit the disk; choose an instance with a larger one."
            )
        case ValueError():
            return (
                f"model_source.id: what {endpoint} says of {source.id} is not understood; make sure that it "
                f"is a hub, and that the repository's {_INDEX} is a JSON object."
            )
        case _:
            return (
                f"model_source.id: {source.id} could not be fetched from {endpoint} "
                f"({type(error).__name__}); make sure that the container's network reaches it, and try again."
            )
