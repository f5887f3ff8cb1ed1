"""Checks of a model's files in S3: complete, and with undamaged weights."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from pydantic import TypeAdapter

from contract.source import S3Source
from inference.models.formats import MODEL_INDEX
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, SkippedError, error_code, failed, passed, skipped, warning
from operations.doctor.model_directory import problems, single_model, weights
from operations.doctor.safetensors_header import (
    LENGTH_BYTES,
    InvalidHeaderError,
    count_tensors,
    header_length,
)

_GB = 1_000_000_000
_INDEX_SCHEMA = TypeAdapter(dict[str, Any])


@dataclass(frozen=True)
class ModelLocation:
    """The location of a model's files.

    Attributes:
        stage: the name of the stage.
        model: the name of the model.
    """

    aws: Aws
    stage: str
    model: str
    source: S3Source

    def directory(self) -> "S3Directory":
        """The directory of the model.

        Raises:
            SkippedError: the stage's models bucket does not exist yet.
        """
        bucket = models_bucket(self.aws, self.stage) if self.source.uri is None else ""
        return S3Directory(self.aws.client("s3"), *self.source.prefix(self.model, bucket))


def models_bucket(aws: Aws, stage: str) -> str:
    """The name of the stage's models bucket.

    Raises:
        SkippedError: it does not exist yet.
    """
    stack = f"StableDiffusion-{stage}-Storage"
    try:
        described = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error_code(error) != "ValidationError":
            raise
        raise SkippedError(f"not checked, because the stack {stack} is not deployed yet") from error
    for output in described.get("Outputs", []):
        if output["OutputKey"] == "ModelsBucketName":
            return str(output["OutputValue"])
    raise SkippedError(
        f"not checked, because the stack {stack} ({described['StackStatus']}) has no bucket yet"
    )


class S3Directory:
    """The objects under a prefix."""

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = prefix

    @property
    def uri(self) -> str:
        """The `s3://` URI of the directory."""
        return f"s3://{self._bucket}/{self._prefix}"

    def sizes(self) -> dict[str, int]:
        """The size in bytes of each file, by its path below the prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        objects = [each for page in pages for each in page.get("Contents", [])]
        return {
            each["Key"].removeprefix(self._prefix): each["Size"]
            for each in objects
            if not each["Key"].endswith("/")  # objects that the S3 console creates for folders
        }

    def read(self, path: str, span: tuple[int, int] | None = None) -> bytes:
        """The content of a file, or its bytes from `span[0]` to `span[1]` inclusive."""
        ranged = {"Range": f"bytes={span[0]}-{span[1]}"} if span else {}
        response = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + path, **ranged)
        content: bytes = response["Body"].read()
        return content


@dataclass(frozen=True)
class ModelFiles:
    """The directory contains all components of its index, with weights in a supported format."""

    location: ModelLocation

    @property
    def name(self) -> str:
        """See `Check.name`."""
        return f"model {self.location.model}: files"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        directory = self.location.directory()
        sizes = directory.sizes()
        upload = f"aws s3 sync DIRECTORY {directory.uri}"
        single_file = single_model(sizes)
        if single_file is not None:
            size = f"{sizes[single_file] / _GB:,.2f} GB"
            return warning(
                f"{directory.uri}{single_file}, {size}, is converted by every container that starts",
                f"convert it once: make convert FROM={single_file} TO={directory.uri.rstrip('/')}",
            )
        if MODEL_INDEX not in sizes:
            return failed(f"{directory.uri} has no {MODEL_INDEX}", f"upload a diffusers directory: {upload}")
        try:
            index = _INDEX_SCHEMA.validate_json(directory.read(MODEL_INDEX))
        except ValueError:
            return failed(
                f"{directory.uri}{MODEL_INDEX} is not a JSON object", f"upload the directory again: {upload}"
            )
        found = list(problems(index, sizes))
        if found:
            return failed(
                f"{directory.uri}: {'; '.join(found)}",
                f"save it with save_pretrained(DIRECTORY, safe_serialization=True), then {upload}",
            )
        total = sum(sizes.values()) / _GB
        return passed(f"{index.get('_class_name')}, {total:,.2f} GB in {len(sizes)} files at {directory.uri}")


@dataclass(frozen=True)
class ModelWeights:
    """The headers of the weight files are valid and match the sizes of the files."""

    location: ModelLocation

    @property
    def name(self) -> str:
        """See `Check.name`."""
        return f"model {self.location.model}: weights"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        directory = self.location.directory()
        sizes = directory.sizes()
        single_file = single_model(sizes)
        if single_file is not None and not single_file.endswith(".safetensors"):
            return skipped(f"not checked, because {single_file} has no safetensors header")
        paths = weights(sizes) if single_file is None else [single_file]
        if not paths:
            return failed(f"{directory.uri} has no weights", "see the result of the check of the files")
        tensors = 0
        for path in paths:
            try:
                tensors += _count_tensors(directory, path, sizes[path])
            except InvalidHeaderError as error:
                return failed(
                    f"{directory.uri}{path} {error}",
                    f"upload the file again: aws s3 cp {path} {directory.uri}{path}",
                )
        return passed(f"{tensors:,} tensors in {len(paths)} files, according to their headers")


def _count_tensors(directory: S3Directory, path: str, size: int) -> int:
    start = directory.read(path, (0, LENGTH_BYTES - 1)) if size else b""  # empty objects have no ranges
    length = header_length(start, size)
    header = directory.read(path, (LENGTH_BYTES, LENGTH_BYTES + length - 1)) if length else b""
    return count_tensors(header, size)
