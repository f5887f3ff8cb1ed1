"""Objects of jobs in S3."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ValidationError

from contract.generation import Generation
from contract.identifiers import MAX_ATTEMPTS, InvocationId, S3Location
from contract.keys import (
    FAILURES_PREFIX,
    INPUTS_PREFIX,
    RESULTS_PREFIX,
    cancellation_key,
    preview_key,
    progress_key,
    start_key,
)
from contract.output_location import output_locations
from contract.problem import Problem
from contract.progress import Progress
from contract.result import GenerationResult
from contract.s3_hosts import S3_HOSTS
from jobs.errors import EndpointUnavailableError, FileTooLargeError, UnreadableDocumentError
from jobs.inline_images import InlineImage
from jobs.ports import Link, UploadForm

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

CLIENT = Config(signature_version="s3v4", s3=S3_HOSTS)
"""The configuration of the client. Signature version 4 is for links to KMS-encrypted objects."""

_LINK_LIFETIME = timedelta(hours=1)
_UPLOAD_LIFETIME = timedelta(minutes=15)
_Document = TypeVar("_Document", bound=BaseModel)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class S3JobDocuments:
    """JSON documents and images under the contract's keys in the data bucket."""

    def __init__(
        self,
        s3: "S3Client",
        bucket: str,
        *,
        credentials_end: Callable[[], datetime | None] = lambda: None,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Creates the adapter.

        Args:
            s3: a client with the configuration `CLIENT`.
            bucket: the data bucket.
            credentials_end: when the credentials that sign now expire, and links with them; None if unknown.
            clock: the time.
        """
        self._s3 = s3
        self._bucket = bucket
        self._credentials_end = credentials_end
        self._clock = clock

    def put_inline_image(self, image: InlineImage) -> None:
        self._put(image.location, image.data, image.media_type)

    def mark_canceled(self, job_id: str) -> None:
        self._put(S3Location(self._bucket, cancellation_key(job_id)), b"", "text/plain")

    def read_progress(self, job_id: str) -> Progress | None:
        body = self._get(S3Location(self._bucket, progress_key(job_id)))
        return None if body is None else Progress.model_validate_json(body)

    def find_result(self, invocation: InvocationId) -> str | None:
        return self._find(f"{RESULTS_PREFIX}{invocation}")

    def find_failure(self, invocation: InvocationId) -> str | None:
        return self._find(f"{FAILURES_PREFIX}{invocation}")

    def read_result(self, uri: str) -> GenerationResult | None:
        return self._read(uri, GenerationResult)

    def read_problem(self, uri: str) -> Problem | None:
        return self._read(uri, Problem)

    def read_image(self, uri: str, *, max_bytes: int) -> bytes | None:
        return self._get(S3Location.parse(uri), max_bytes=max_bytes)

    def delete(self, generation: Generation) -> None:
        outputs = output_locations(generation, self._bucket)
        try:
            own = [*self._keys_of(generation.id)]
            own += [each.key for each in outputs if each.bucket == self._bucket]
            self._delete(self._bucket, own)
            for bucket in {each.bucket for each in outputs} - {self._bucket}:
                self._delete(bucket, [each.key for each in outputs if each.bucket == bucket])
        except (ClientError, BotoCoreError) as error:
            raise EndpointUnavailableError("The job could not be deleted; send the request again.") from error

    def presign(self, uri: str) -> Link:
        location, (seconds, expires_at) = S3Location.parse(uri), self._validity(_LINK_LIFETIME)
        url = self._s3.generate_presigned_url(
            "get_object", Params={"Bucket": location.bucket, "Key": location.key}, ExpiresIn=seconds
        )
        return Link(url=url, expires_at=expires_at)

    def presign_upload(self, location: S3Location, content_type: str, size: int) -> UploadForm:
        seconds, expires_at = self._validity(_UPLOAD_LIFETIME)
        form = self._s3.generate_presigned_post(
            Bucket=location.bucket,
            Key=location.key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", size, size]],
            ExpiresIn=seconds,
        )
        return UploadForm(url=form["url"], fields=form["fields"], expires_at=expires_at)

    def _validity(self, lifetime: timedelta) -> tuple[int, datetime]:
        """The seconds that a new link is valid for and its end: no later than that of the credentials."""
        now, credentials_end = self._clock(), self._credentials_end()
        end = now + lifetime if credentials_end is None else min(now + lifetime, credentials_end)
        seconds = max(1, int((end - now).total_seconds()))  # S3 refuses 0
        return seconds, (now + timedelta(seconds=seconds)).replace(microsecond=0)

    def _put(self, location: S3Location, body: bytes, media_type: str) -> None:
        try:
            self._s3.put_object(Bucket=location.bucket, Key=location.key, Body=body, ContentType=media_type)
        except (ClientError, BotoCoreError) as error:
            raise EndpointUnavailableError("The request could not be stored; send it again.") from error

    def _read(self, uri: str, document: type[_Document]) -> _Document | None:
        body = self._get(S3Location.parse(uri))
        if body is None:
            return None
        try:
            return document.model_validate_json(body)
        except ValidationError as error:
            raise UnreadableDocumentError(f"the object at {uri} is not a {document.__name__}") from error

    def _get(self, location: S3Location, *, max_bytes: int | None = None) -> bytes | None:
        try:
            answer = self._s3.get_object(Bucket=location.bucket, Key=location.key)
        except self._s3.exceptions.NoSuchKey:
            return None
        if max_bytes is not None and answer["ContentLength"] > max_bytes:
            answer["Body"].close()
            raise FileTooLargeError(f"{location.uri} has {answer['ContentLength']:,} bytes")
        return answer["Body"].read()

    def _find(self, prefix: str) -> str | None:
        """The URI of the object whose key begins with the prefix; None if there is none."""
        keys = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=1).get("Contents", [])
        return S3Location(self._bucket, keys[0]["Key"]).uri if keys else None

    def _keys_of(self, job_id: str) -> Iterator[str]:
        """The keys of the job's objects in the data bucket, without its outputs."""
        yield from (
            progress_key(job_id),
            cancellation_key(job_id),
            preview_key(job_id),
            *(start_key(InvocationId(job_id, attempt)) for attempt in range(1, MAX_ATTEMPTS + 1)),
        )
        for prefix in (
            f"{INPUTS_PREFIX}{job_id}/",
            f"{RESULTS_PREFIX}{job_id}",
            f"{FAILURES_PREFIX}{job_id}",
        ):
            contents = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix).get("Contents", [])
            yield from (each["Key"] for each in contents)

    def _delete(self, bucket: str, keys: list[str]) -> None:
        objects: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in keys]
        answer = self._s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        if answer.get("Errors"):
            raise EndpointUnavailableError("Not all objects could be deleted; send the request again.")
