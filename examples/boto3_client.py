"""Draws pictures without the HTTP API: invokes a model's endpoint and waits for its answer in S3.

python examples/boto3_client.py "a red circle" --endpoint NAME --bucket NAME

Beyond the standard library it needs boto3.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 20.0


class JobError(Exception):
    """The container did not draw, or not in time; the message says why."""


class AsyncEndpoint:
    """A model's asynchronous endpoint and the data bucket that it works with."""

    def __init__(self, name: str, bucket: str) -> None:
        self._name = name
        self._bucket = bucket
        self._s3: S3Client = boto3.client("s3")
        self._runtime = boto3.client("sagemaker-runtime")

    def draw(self, request: Mapping[str, Any], *, timeout_s: float) -> Any:
        """Has a request drawn and gives the result document.

        Raises:
            JobError: the container has failed, or time is up.
        """
        key = f"requests/{uuid4()}.json"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=json.dumps(request).encode())
        invocation = self._runtime.invoke_endpoint_async(
            EndpointName=self._name,
            InputLocation=f"s3://{self._bucket}/{key}",
            ContentType="application/json",
        )
        deadline = time.monotonic() + timeout_s
        pause_s = _FIRST_PAUSE_S
        while True:
            result = self._read(invocation["OutputLocation"])
            if result is not None:
                return json.loads(result)
            failure = self._read(invocation["FailureLocation"])
            if failure is not None:
                raise JobError(_in_words(failure))
            if time.monotonic() + pause_s > deadline:
                raise JobError(f"time is up; the result may still come to {invocation['OutputLocation']}")
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    def download(self, image: Mapping[str, Any], path: Path) -> None:
        """Saves an image of a result document."""
        self._s3.download_file(*_bucket_and_key(image["s3_uri"]), str(path))

    def _read(self, uri: str) -> bytes | None:
        """The object; None while it is not there, which S3 tells only to those who may list the bucket."""
        bucket, key = _bucket_and_key(uri)
        try:
            return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None


def _bucket_and_key(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _in_words(failure: bytes) -> str:
    """What the container has answered: a problem document (RFC 9457), or whatever it is."""
    try:
        problem = json.loads(failure)
        return f"{problem['title']}: {problem['detail']} ({problem['code']})"
    except (ValueError, LookupError, TypeError):
        return failure.decode(errors="replace")


def _draw_and_save(
    endpoint: AsyncEndpoint, request: Mapping[str, Any], arguments: argparse.Namespace
) -> None:
    result = endpoint.draw(request, timeout_s=arguments.timeout_s)
    arguments.output.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(result["images"]):
        if image["s3_uri"] is None:
            print(f"image {index} is withheld: {', '.join(image['flags'])}")
            continue
        path = arguments.output / f"{result['id']}-{index}{Path(image['s3_uri']).suffix}"
        endpoint.download(image, path)
        print(f"{image['s3_uri']} -> {path}")


def json_object(text: str) -> dict[str, Any]:
    """The fields that an argument holds."""
    return dict(json.loads(text))


def main() -> None:
    """Reads the command line; ends with the error in words."""
    parser = argparse.ArgumentParser(
        description="Draw pictures with an endpoint, without the HTTP API.",
        epilog="Region and credentials are found as boto3 always finds them.",
    )
    parser.add_argument("prompt")
    parser.add_argument("--endpoint", required=True, help="the output EndpointName of the endpoint's stack")
    parser.add_argument("--bucket", required=True, help="the output DataBucketName of the storage stack")
    parser.add_argument("--fields", type=json_object, default={}, help="more of the request: a JSON object")
    parser.add_argument("--output", type=Path, default=Path("out"), help="directory for the images")
    parser.add_argument("--timeout-s", type=float, default=1800, help="an endpoint at rest wakes in minutes")
    arguments = parser.parse_args()
    try:
        endpoint = AsyncEndpoint(arguments.endpoint, arguments.bucket)
        _draw_and_save(endpoint, {"prompt": arguments.prompt, **arguments.fields}, arguments)
    except (JobError, BotoCoreError, ClientError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
