"""Access of callers to the input images in the data bucket."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from contract.identifiers import JobId, S3Location
from contract.keys import INPUTS_PREFIX, OUTPUTS_PREFIX
from contract.problem import FieldError
from contract.request import HasInputImages, input_image_uris
from jobs.caller import Caller
from jobs.errors import JobNotFoundError
from jobs.ports import JobRepository

_JOB_ID: TypeAdapter[str] = TypeAdapter(JobId)


@dataclass(frozen=True, kw_only=True)
class InputAccess:
    """Decides which `s3://` URIs a caller may name as input images.

    Attributes:
        bucket: the data bucket.
        shared: whether every caller may read all inputs and outputs. Otherwise they may read their uploads
            and the images of their jobs.
    """

    bucket: str
    shared: bool
    jobs: JobRepository

    def errors(self, request: HasInputImages, caller: Caller) -> Iterator[FieldError]:
        """An error for each `s3://` URI that the caller may not read, whether or not it exists."""
        for pointer, uri in input_image_uris(request).items():
            if uri.startswith("s3://") and not self._may_read(S3Location.parse(uri), caller):
                yield FieldError(pointer=pointer, detail=self._allowed(caller))

    def upload_prefix(self, caller: Caller) -> str:
        """The key prefix of the caller's uploads."""
        return f"{INPUTS_PREFIX}{caller.directory}/"

    def _may_read(self, location: S3Location, caller: Caller) -> bool:
        if location.bucket != self.bucket or not location.key.startswith((INPUTS_PREFIX, OUTPUTS_PREFIX)):
            return False
        return (
            self.shared
            or location.key.startswith(self.upload_prefix(caller))
            or self._owns(location.key.split("/")[1], caller)
        )

    def _owns(self, directory: str, caller: Caller) -> bool:
        """Whether a directory of inputs or outputs belongs to a job of the caller."""
        try:
            return self.jobs.get(_JOB_ID.validate_python(directory)).owner == caller.id
        except (ValidationError, JobNotFoundError):
            return False

    def _allowed(self, caller: Caller) -> str:
        if self.shared:
            prefixes = [S3Location(self.bucket, each).uri for each in (INPUTS_PREFIX, OUTPUTS_PREFIX)]
            return "must be under " + " or ".join(prefixes)
        uploads = S3Location(self.bucket, self.upload_prefix(caller)).uri
        return f"must be an upload of yours, under {uploads}, or an image of one of your jobs"
