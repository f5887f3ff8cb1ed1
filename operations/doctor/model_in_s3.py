"""Checks of a model's files in S3: their names and formats, and whether the container can load them."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from contract.model import ServedModel
from contract.source import S3Source
from inference.models.errors import UnusableModelError
from inference.models.formats import MODEL_INDEX
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, failed, passed, skipped, warning
from operations.doctor.container_code import load_model
from operations.doctor.default_size import size_warning
from operations.doctor.model_directory import single_model
from operations.doctor.model_paths import path_problems
from operations.doctor.s3_directory import S3Directory, models_bucket

_GB = 1_000_000_000
_MAX_SETTINGS_BYTES = 16 << 20
"""Of configuration files and vocabularies, which are downloaded whole."""

_MAX_LISTED = 5


@dataclass(frozen=True)
class ModelLocation:
    """The location of a model's files.

    Attributes:
        stage: the name of the stage.
        is_companion: whether the container downloads the files; SageMaker downloads those of other models.
    """

    aws: Aws
    stage: str
    model: ServedModel
    source: S3Source
    is_companion: bool = False

    def directory(self) -> S3Directory:
        """The directory of the model.

        Raises:
            SkippedError: the stage's models bucket does not exist yet.
        """
        bucket = models_bucket(self.aws, self.stage) if self.source.uri is None else ""
        return S3Directory(self.aws.client("s3"), *self.source.prefix(self.model.name, bucket))


@dataclass(frozen=True)
class ModelFiles:
    """There is a model under the prefix, in a supported format, with names that SageMaker accepts."""

    location: ModelLocation

    @property
    def name(self) -> str:
        """See `Check.name`."""
        return f"model {self.location.model.name}: files"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        directory = self.location.directory()
        files = directory.files()
        problems = list(path_problems(files if self.location.is_companion else directory.objects()))
        if problems:
            more = f" and {len(problems) - _MAX_LISTED} more" if len(problems) > _MAX_LISTED else ""
            return failed(
                f"SageMaker does not download {directory.uri}: {'; '.join(problems[:_MAX_LISTED])}{more}",
                "delete or rename these objects, for a folder with aws s3api delete-object --bucket BUCKET "
                "--key KEY/, and upload with aws s3 sync, which creates none",
            )
        single_file = single_model(files)
        if single_file is not None:
            size = f"{files[single_file] / _GB:,.2f} GB"
            return warning(
                f"{directory.uri}{single_file}, {size}, is converted by every container that starts",
                f"convert it once: make convert FROM={single_file} TO={directory.uri.rstrip('/')}",
            )
        if MODEL_INDEX not in files:
            return failed(
                f"{directory.uri} has no {MODEL_INDEX}",
                f"upload a diffusers directory: aws s3 sync DIRECTORY {directory.uri}",
            )
        return passed(f"{sum(files.values()) / _GB:,.2f} GB in {len(files)} files at {directory.uri}")


@dataclass(frozen=True)
class ModelLoads:
    """The container's code loads the model, and the default size is about the one it was trained with."""

    location: ModelLocation

    @property
    def name(self) -> str:
        """See `Check.name`."""
        return f"model {self.location.model.name}: loading"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        directory = self.location.directory()
        files = directory.files()
        single_file = single_model(files)
        if single_file is not None and not single_file.endswith(".safetensors"):
            return skipped(f"not tried, because {single_file} would have to be downloaded whole")
        if any(path_problems(files)):
            return skipped("not tried, because of the names of the files: see the check of the files")
        with tempfile.TemporaryDirectory() as scratch:
            directory.copy(files, Path(scratch, "model"), max_bytes=_MAX_SETTINGS_BYTES)
            try:
                model = load_model(Path(scratch, "model"))
            except UnusableModelError as error:
                return failed(
                    f"the container cannot load {directory.uri}: {error}",
                    f"upload the corrected files: aws s3 sync DIRECTORY {directory.uri}",
                )
        if model is None:
            return skipped("not tried: diffusers itself loads a pipeline of this kind")
        defaults = self.location.model.defaults
        if model.missing_vae is not None and defaults.vae is None:
            return warning(
                f"the model's file has {model.missing_vae}: requests that name no `vae` are refused",
                "upload a VAE under adapters/vaes/, and name it as `vae` in the model's `defaults`",
            )
        trained = model.trained_size
        poor = trained and size_warning(model.pipeline, trained, defaults)
        return poor or passed(f"{model.pipeline}, loaded by the container's code")
