"""Job documents in the data bucket."""

from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ValidationError

from contract.generation import Generation
from contract.identifiers import S3Location
from contract.keys import cancellation_key, progress_key, request_key
from contract.problem import Problem
from contract.progress import Progress
from contract.result import GenerationResult
from jobs.errors import EndpointUnavailableError, UnreadableDocumentError
from jobs.inline_images import InlineImage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LINK_LIFETIME_S = 3600
_Document = TypeVar("_Document", bound=BaseModel)


class S3JobDocuments:
    """JSON documents and images under the contract's keys."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def put_request(self, generation: Generation) -> str:
        location = S3Location(self._bucket, request_key(generation.id))
        self._put(location, generation.model_dump_json().encode(), "application/json")
        return location.uri

    def put_inline_image(self, image: InlineImage) -> None:
        self._put(image.location, image.data, image.media_type)

    def mark_canceled(self, job_id: str) -> None:
        self._put(S3Location(self._bucket, cancellation_key(job_id)), b"", "text/plain")

    def read_progress(self, job_id: str) -> Progress | None:
        body = self._get(S3Location(self._bucket, progress_key(job_id)))
        return None if body is None else Progress.model_validate_json(body)

    def read_result(self, uri: str) -> GenerationResult:
        return self._read(uri, GenerationResult)

    def read_problem(self, uri: str) -> Problem:
        return self._read(uri, Problem)

    def presign(self, uri: str) -> str:
        location = S3Location.parse(uri)
        return self._s3.generate_presigned_url(
            "get_object",
            Params={"Bucket": location.bucket, "Key": location.key},
            ExpiresIn=_LINK_LIFETIME_S,
        )

    def _put(self, location: S3Location, body: bytes, media_type: str) -> None:
        try:
            self._s3.put_object(Bucket=location.bucket, Key=location.key, Body=body, ContentType=media_type)
        except (ClientError, BotoCoreError) as error:
            raise EndpointUnavailableError("The request could not be stored; send it again.") from error

    def _read(self, uri: str, document: type[_Document]) -> _Document:
        body = self._get(S3Location.parse(uri))
        if body is None:
            raise UnreadableDocumentError(f"there is no object at {uri}")
        try:
            return document.model_validate_json(body)
        except ValidationError as error:
            raise UnreadableDocumentError(f"the object at {uri} is not a {document.__name__}") from error

    def _get(self, location: S3Location) -> bytes | None:
        try:
            answer = self._s3.get_object(Bucket=location.bucket, Key=location.key)
        except self._s3.exceptions.NoSuchKey:
            return None
        return answer["Body"].read()
