"""The served models on the local disk, downloaded on first use; and the safety checker's files."""

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
"""Downloads all objects under an S3 prefix into a directory, resuming an earlier download."""


class ModelStore:
    """The model directories of an endpoint."""

    def __init__(
        self,
        environment: ContainerEnvironment,
        directory: Path,
        *,
        fetch_prefix: FetchPrefix,
        hub: str | None = None,
    ) -> None:
        """Downloads nothing yet.

        Args:
            environment: declares the models and their sources.
            directory: where models are downloaded, each into its own subdirectory.
            fetch_prefix: downloads from S3.
            hub: the Hugging Face Hub's URL; None: the public Hub.
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
        self._directories: dict[str, Path] = {}
        self._revisions: dict[str, str | None] = {}

    def fetch(self, model: str) -> Path:
        """The directory of a served model, complete.

        The first call for a model downloads it, which takes minutes; other calls for the same model wait
        for that download, and calls for other models do not. A failed download is retried by the next call.

        Args:
            model: a name in `ContainerEnvironment.served`.

        Raises:
            HubError, TransferError: the download failed.
        """
        with self._locks[model]:
            if model not in self._directories:
                self._directories[model] = self._download(model)
            return self._directories[model]

    def weight_bytes(self, model: str) -> int:
        """The size of the weight files that are loaded, fp16 variants if there are any; see `fetch`."""
        files = [file for file in self.fetch(model).rglob("*") if file.is_file()]
        weights = [file for file in files if file.suffix == ".safetensors"] or files
        fp16 = [file for file in weights if ".fp16" in file.suffixes]
        return sum(file.stat().st_size for file in fp16 or weights)

    def revision(self, model: str) -> str | None:
        """The revision of the model's weights: a Hub commit or a SHA-256; None if unknown. See `fetch`."""
        source = self._sources[model]
        if isinstance(source, HubSource):
            return source.revision
        if model not in self._revisions:
            self._revisions[model] = revision_of(self.fetch(model))
        return self._revisions[model]

    def _download(self, model: str) -> Path:
        match self._sources[model]:
            case None:
                return Path(self._environment.model_directory)  # downloaded by SageMaker
            case HubSource() as source:
                token = read_token(source.token_secret_arn) if source.token_secret_arn else None
                return fetch_model(source, self._directory, token=token, endpoint=self._hub)
            case S3Source() as source:
                target = self._directory / model
                self._fetch_prefix(source.prefix(model, self._environment.models_bucket_name or ""), target)
                return target


def with_local_safety_checker(
    environment: ContainerEnvironment, directory: Path, *, fetch_prefix: FetchPrefix
) -> ContainerEnvironment:
    """The environment with the local path of its safety checker, which is downloaded if it is in S3.

    Args:
        environment: its `safety_checker` is an S3 URI, a local path or None.
        directory: where the safety checker is downloaded.
        fetch_prefix: downloads from S3.

    Raises:
        TransferError: the download failed.
    """
    checker = environment.safety_checker
    if checker is None or not checker.startswith("s3://"):
        return environment
    fetch_prefix(S3Location.parse(checker), directory)
    return environment.model_copy(update={"safety_checker": str(directory)})
