"""Downloads of diffusers models from the Hugging Face Hub, of the files that are loaded only."""

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
from inference.observability.logs import propagate_errors_only

_LOGGER = logging.getLogger(__name__)
_MODEL_INDEX = "model_index.json"
_SHARD = re.compile(r"-\d{5}-of-\d{5}")
_JSON_OBJECT = TypeAdapter(dict[str, Any])
_CONFIG_SUFFIXES = {".json", ".model", ".txt"}
_OTHER_WEIGHT_SUFFIXES = {".bin", ".ckpt", ".h5", ".msgpack", ".onnx", ".pt", ".pth"}


class HubError(Exception):
    """The model cannot be downloaded; the message names the configuration's field and the remedy."""


def fetch_model(
    source: HubSource, directory: Path, *, token: str | None, endpoint: str | None = None
) -> Path:
    """Downloads a diffusers model, with the fp16 variant of its weights if there is one.

    Files that an earlier call has completed are not downloaded again.

    Args:
        source: the repository and its commit.
        directory: the parent directory; the model's subdirectory has the commit's name.
        token: the access token; None: anonymous.
        endpoint: the Hub's URL; None: the public Hub.

    Returns:
        The model's directory.

    Raises:
        HubError: the download failed, or the repository has no model that can be loaded.
    """
    propagate_errors_only("huggingface_hub")
    disable_progress_bars()
    hub = HfApi(endpoint=endpoint, token=token or False)
    target = directory / source.revision

    def download(names: list[str]) -> None:
        hub.snapshot_download(source.id, revision=source.revision, local_dir=target, allow_patterns=names)

    try:
        names = hub.list_repo_files(source.id, revision=source.revision)
        if _MODEL_INDEX not in names:
            raise HubError(
                f"model_source.id: {source.id} has no {_MODEL_INDEX}; choose a repository in the diffusers "
                "layout."
            )
        download([_MODEL_INDEX])
        selected = select_files(names, _component_names(target / _MODEL_INDEX))
        _LOGGER.info("downloading %d files of %s at %s", len(selected), source.id, source.revision)
        download(selected)
    except (OSError, RuntimeError, ValueError, httpx2.HTTPError) as error:
        raise HubError(_message(error, source, hub.endpoint)) from error
    return target


def select_files(names: Iterable[str], components: Collection[str]) -> list[str]:
    """The files that a pipeline with these components is loaded from.

    Args:
        names: the repository's files.
        components: the components in model_index.json.

    Raises:
        HubError: a component has weights, but not in safetensors.
    """
    paths = [PurePosixPath(name) for name in names]
    selected = []
    for component in components:
        files = [path for path in paths if path.parent == PurePosixPath(component)]
        weights = [path for path in files if ".safetensors" in path.suffixes]
        variant = "fp16" if any(_variant(path) == "fp16" for path in weights) else ""
        of_variant = [path for path in weights if _variant(path) == variant]
        if not of_variant and any(path.suffix in _OTHER_WEIGHT_SUFFIXES | {".safetensors"} for path in files):
            raise HubError(
                f"model_source: {component} has no safetensors weights, and other formats are not loaded; "
                "choose a revision or a repository that has them."
            )
        selected += of_variant
        selected += [path for path in files if path.suffix in _CONFIG_SUFFIXES and path not in weights]
    return [str(path) for path in selected]


def _variant(weights: PurePosixPath) -> str:
    """`fp16` for `model.fp16-00001-of-00002.safetensors` and its index; empty for `model.safetensors`."""
    labels = _SHARD.sub("", weights.name).split(".")[1:]
    return ".".join(label for label in labels if label not in ("safetensors", "index", "json"))


def _component_names(index: Path) -> list[str]:
    """The components in model_index.json, without those set to null."""
    content = _JSON_OBJECT.validate_json(index.read_bytes())
    return [name for name, value in content.items() if isinstance(value, list) and any(value)]


def _message(error: Exception, source: HubSource, endpoint: str) -> str:
    """The message for an error: field, reason and remedy."""
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
                f"model_source.id: {source.id} does not exist, or is private; correct the id, or set "
                "model_source.token_secret_arn to a secret with a token that can read the repository."
            )
        case RevisionNotFoundError():
            return (
                f"model_source.revision: {source.id} has no commit {source.revision}; "
                "use a full commit hash from its history."
            )
        case HfHubHTTPError() if error.response.status_code in (401, 403):
            return (
                f"model_source.token_secret_arn: the Hub denied access to {source.id}; "
                "store a valid token that can read the repository in the secret."
            )
        case OSError(errno=errno.ENOSPC):
            return (
                f"model_source.id: {source.id} does not fit on the disk; choose an instance with a larger "
                "disk."
            )
        case ValueError():
            return (
                f"model_source.id: the response of {endpoint} for {source.id} is not valid; check that the "
                f"address is a Hugging Face Hub, and that the repository's {_MODEL_INDEX} is a JSON object."
            )
        case _:
            return (
                f"model_source.id: {source.id} could not be downloaded from {endpoint} "
                f"({type(error).__name__}); check that the container's network reaches it, and try again."
            )
