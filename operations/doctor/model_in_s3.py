"""A model's directory in S3: complete, and loadable."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from pydantic import TypeAdapter

from contract.source import S3Source
from inference.models.formats import MODEL_INDEX
from operations.doctor.aws import Aws
from operations.doctor.check import Finding, SkippedError, doubtful, error_code, failed, passed, skipped
from operations.doctor.model_directory import faults, single_model, weights
from operations.doctor.safetensors_header import (
    LENGTH_BYTES,
    InvalidHeaderError,
    count_tensors,
    header_length,
)

_GB = 1_000_000_000
_INDEX_CONTENT = TypeAdapter(dict[str, Any])


@dataclass(frozen=True)
class ModelLocation:
    """Where a model of a stage lies.

    Attributes:
        stage: the stage's name.
        model: the model's name.
    """

    aws: Aws
    stage: str
    model: str
    source: S3Source

    def directory(self) -> "S3Directory":
        """What lies there.

        Raises:
            SkippedError: the stage's models bucket is not there yet.
        """
        own = models_bucket(self.aws, self.stage) if self.source.uri is None else ""
        return S3Directory(self.aws.client("s3"), *self.source.prefix(self.model, own))


def models_bucket(aws: Aws, stage: str) -> str:
    """The name of the stage's models bucket.

    Raises:
        SkippedError: it is not there yet.
    """
    stack = f"StableDiffusion-{stage}-Storage"
    try:
        described = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error_code(error) != "ValidationError":
            raise
        raise SkippedError(f"the stack {stack}, with the models bucket, is not deployed yet") from error
    for output in described.get("Outputs", []):
        if output["OutputKey"] == "ModelsBucketName":
            return str(output["OutputValue"])
    raise SkippedError(f"the stack {stack} is {described['StackStatus']} and has no models bucket yet")


class S3Directory:
    """The objects under a prefix."""

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = prefix

    @property
    def uri(self) -> str:
        """The directory's address."""
        return f"s3://{self._bucket}/{self._prefix}"

    def sizes(self) -> dict[str, int]:
        """The bytes of each file, by its path below the prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        objects = [each for page in pages for each in page.get("Contents", [])]
        return {
            each["Key"].removeprefix(self._prefix): each["Size"]
            for each in objects
            if not each["Key"].endswith("/")  # the console makes such objects to show folders
        }

    def read(self, path: str, span: tuple[int, int] | None = None) -> bytes:
        """A file's content, or the bytes from the first to the last of `span`."""
        ranged = {"Range": f"bytes={span[0]}-{span[1]}"} if span else {}
        answer = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + path, **ranged)
        content: bytes = answer["Body"].read()
        return content


@dataclass(frozen=True)
class ModelFiles:
    """The directory holds every component that its index names, with weights that are loaded."""

    location: ModelLocation

    @property
    def name(self) -> str:
        """See `Check.name`."""
        return f"model {self.location.model}: files"

    def run(self) -> Finding:
        """See `Check.run`."""
        directory = self.location.directory()
        sizes = directory.sizes()
        upload = f"aws s3 sync DIRECTORY {directory.uri}"
        packed = single_model(sizes)
        if packed is not None:
            size = f"{sizes[packed] / _GB:,.2f} GB"
            return doubtful(
                f"{directory.uri}{packed}, {size}, is opened anew by every container that starts",
                f"convert it once: make convert FROM={packed} TO={directory.uri.rstrip('/')}",
            )
        if MODEL_INDEX not in sizes:
            return failed(
                f"{directory.uri} has no {MODEL_INDEX}", f"copy a diffusers directory there: {upload}"
            )
        try:
            index = _INDEX_CONTENT.validate_json(directory.read(MODEL_INDEX))
        except ValueError:
            return failed(
                f"{directory.uri}{MODEL_INDEX} is not a JSON object", f"copy the directory again: {upload}"
            )
        found = list(faults(index, sizes))
        if found:
            return failed(
                f"{directory.uri}: {'; '.join(found)}",
                f"save it with save_pretrained(DIRECTORY, safe_serialization=True), then {upload}",
            )
        total = sum(sizes.values()) / _GB
        return passed(f"{index.get('_class_name')}, {total:,.2f} GB in {len(sizes)} files at {directory.uri}")


@dataclass(frozen=True)
class ModelWeights:
    """The headers of the weights can be read, and describe files of the size that is there."""

    location: ModelLocation

    @property
    def name(self) -> str:
        """See `Check.name`."""
        return f"model {self.location.model}: weights"

    def run(self) -> Finding:
        """See `Check.run`."""
        directory = self.location.directory()
        sizes = directory.sizes()
        packed = single_model(sizes)
        if packed is not None and not packed.endswith(".safetensors"):
            return skipped(f"{packed} shows what is in it only when it is opened")
        paths = weights(sizes) if packed is None else [packed]
        if not paths:
            return failed(f"{directory.uri} has no weights", "see the check of the files, the line before")
        tensors = 0
        for path in paths:
            try:
                tensors += _count_tensors(directory, path, sizes[path])
            except InvalidHeaderError as error:
                return failed(
                    f"{directory.uri}{path} {error}",
                    f"copy the file again: aws s3 cp {path} {directory.uri}{path}",
                )
        return passed(f"{tensors:,} tensors in {len(paths)} files, by their headers")


def _count_tensors(directory: S3Directory, path: str, size: int) -> int:
    start = directory.read(path, (0, LENGTH_BYTES - 1)) if size else b""  # S3 has no range of nothing
    length = header_length(start, size)
    header = directory.read(path, (LENGTH_BYTES, LENGTH_BYTES + length - 1)) if length else b""
    return count_tensors(header, size)
