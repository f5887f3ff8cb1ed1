"""Where the served models and their safety checker lie on this machine; what does not yet is fetched."""

from collections.abc import Callable
from pathlib import Path
from threading import Lock

from contract.environment import ContainerEnvironment
from contract.identifiers import S3Location
from contract.source import HubSource, S3Source
from inference.models.manifests import revision_of
from inference.transfer.huggingface import fetch_model
from inference.transfer.huggingface_token import read_token

FetchPrefix = Callable[[S3Location, Path], None]
"""Puts everything under a prefix into a directory, or goes on where an earlier call has stopped."""


class ModelStore:
    """The directories of an endpoint's models, in the diffusers layout."""

    def __init__(
        self,
        environment: ContainerEnvironment,
        directory: Path,
        *,
        fetch_prefix: FetchPrefix,
        hub: str | None = None,
    ) -> None:
        """Fetches nothing yet.

        Args:
            environment: which models there are, and where they come from.
            directory: what is fetched goes there, each model into a directory of its own.
            fetch_prefix: how models come from S3.
            hub: the Hugging Face hub's address; None is the public one.
        """
        self._environment = environment
        self._directory = directory
        self._fetch_prefix = fetch_prefix
        self._hub = hub
        self._sources: dict[str, S3Source | HubSource | None] = {
            environment.model.name: environment.model_source,
            **{each.name: each.source for each in environment.companions},
        }
        self._locks = {name: Lock() for name in self._sources}
        self._paths: dict[str, Path] = {}
        self._revisions: dict[str, str | None] = {}

    def path(self, model: str) -> Path:
        """The directory of a served model, with all of its files.

        The first call for a model fetches it, which takes minutes; others for the same model wait for that
        one, and those for other models do not. What could not be fetched is tried again at the next call.

        Args:
            model: a name in `ContainerEnvironment.served`.

        Raises:
            HubError, TransferError: whatever kept the model from being fetched, in a sentence for the log.
        """
        with self._locks[model]:
            if model not in self._paths:
                self._paths[model] = self._fetch(model)
            return self._paths[model]

    def weight_bytes(self, model: str) -> int:
        """What the model's weights take on the device, by its files; see `path`."""
        files = [file for file in self.path(model).rglob("*") if file.is_file()]
        weights = [file for file in files if file.suffix == ".safetensors"] or files
        half = [file for file in weights if ".fp16" in file.suffixes]
        return sum(file.stat().st_size for file in half or weights)

    def revision(self, model: str) -> str | None:
        """Which weights the model's are: a commit of the hub, the SHA-256 of a file, or None."""
        source = self._sources[model]
        if isinstance(source, HubSource):
            return source.revision
        if model not in self._revisions:
            self._revisions[model] = revision_of(self.path(model))
        return self._revisions[model]

    def _fetch(self, model: str) -> Path:
        match self._sources[model]:
            case None:
                return Path(self._environment.model_directory)  # SageMaker has fetched it
            case HubSource() as source:
                token = read_token(source.token_secret_arn) if source.token_secret_arn else None
                return fetch_model(source, self._directory, token=token, endpoint=self._hub)
            case S3Source() as source:
                target = self._directory / model
                self._fetch_prefix(source.prefix(model, self._environment.models_bucket_name or ""), target)
                return target


def with_checker_here(
    environment: ContainerEnvironment, directory: Path, *, fetch_prefix: FetchPrefix
) -> ContainerEnvironment:
    """The environment with its safety checker in `directory`, if it lies in S3.

    Raises:
        TransferError: it could not be fetched.
    """
    checker = environment.safety_checker
    if checker is None or not checker.startswith("s3://"):
        return environment
    fetch_prefix(S3Location.parse(checker), directory)
    return environment.model_copy(update={"safety_checker": str(directory)})
