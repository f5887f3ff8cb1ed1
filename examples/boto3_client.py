"""Generates images without the HTTP API: invokes a model's endpoint and waits for the result document in S3.

python examples/boto3_client.py "a red circle" --endpoint NAME --bucket NAME

Requires boto3 beside the standard library.
"""

import argparse
import base64
import json
import mimetypes
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
    """The container failed or the invocation timed out."""


class AsyncEndpoint:
    """A model's asynchronous endpoint and its data bucket."""

    def __init__(self, name: str, bucket: str) -> None:
        self._name = name
        self._bucket = bucket
        self._s3: S3Client = boto3.client("s3")
        self._runtime = boto3.client("sagemaker-runtime")

    def generate(self, request: Mapping[str, Any], *, timeout_s: float) -> Any:
        """Invokes the endpoint and returns the result document.

        Raises:
            JobError: the container failed or the invocation timed out.
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
                raise JobError(_describe(failure))
            if time.monotonic() + pause_s > deadline:
                raise JobError(f"timed out; the result may still be stored at {invocation['OutputLocation']}")
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    def download(self, image: Mapping[str, Any], path: Path) -> None:
        """Saves an image of a result document."""
        self._s3.download_file(*_bucket_and_key(image["s3_uri"]), str(path))

    def _read(self, uri: str) -> bytes | None:
        """Returns the object; None if it does not exist, which S3 reports only with s3:ListBucket."""
        bucket, key = _bucket_and_key(uri)
        try:
            return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None


def _bucket_and_key(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _describe(failure: bytes) -> str:
    """The container's problem document (RFC 9457) as a sentence; other content unchanged."""
    try:
        problem = json.loads(failure)
        return f"{problem['title']}: {problem['detail']} ({problem['code']})"
    except (ValueError, LookupError, TypeError):
        return failure.decode(errors="replace")


def _generate_and_save(
    endpoint: AsyncEndpoint, request: Mapping[str, Any], arguments: argparse.Namespace
) -> None:
    result = endpoint.generate(request, timeout_s=arguments.timeout_s)
    arguments.output.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(result["images"]):
        if image["s3_uri"] is None:
            print(f"image {index} is withheld: {', '.join(image['flags'])}")
            continue
        path = arguments.output / f"{result['id']}-{index}{Path(image['s3_uri']).suffix}"
        endpoint.download(image, path)
        print(f"{image['s3_uri']} -> {path}")


def request_fields(argument: str) -> dict[str, Any]:
    """Parses a JSON object, `@FILE` or `-` (standard input). An image "@FILE" becomes a data: URL."""
    try:
        if argument == "-":
            argument = sys.stdin.read()
        elif argument.startswith("@"):
            argument = Path(argument[1:]).read_text()
        fields = _embed_images(json.loads(argument))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not isinstance(fields, dict):
        raise argparse.ArgumentTypeError("must be a JSON object")
    return fields


def _embed_images(value: Any, name: str = "") -> Any:
    match value:
        case dict():
            return {name: _embed_images(each, name) for name, each in value.items()}
        case list():
            return [_embed_images(each) for each in value]
        case str() if name in ("input_image", "mask_image", "image") and value.startswith("@"):
            path = Path(value[1:])
            media_type = mimetypes.guess_type(path.name, strict=False)[0] or "image/unknown"
            return f"data:{media_type};base64,{base64.b64encode(path.read_bytes()).decode()}"
        case _:
            return value


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(
        description="Generate images with an endpoint, without the HTTP API.",
        epilog="Region and credentials are configured as usual for boto3.",
    )
    parser.add_argument("prompt")
    parser.add_argument("--endpoint", required=True, help="the output EndpointName of the endpoint's stack")
    parser.add_argument("--bucket", required=True, help="the output DataBucketName of the storage stack")
    parser.add_argument(
        "--fields",
        type=request_fields,
        default={},
        help='more fields of the request: a JSON object, @FILE or -; an image may be "@FILE"',
    )
    parser.add_argument("--output", type=Path, default=Path("out"), help="directory for the images")
    parser.add_argument("--timeout-s", type=float, default=1800, help="an idle endpoint starts in minutes")
    arguments = parser.parse_args()
    try:
        endpoint = AsyncEndpoint(arguments.endpoint, arguments.bucket)
        _generate_and_save(endpoint, {"prompt": arguments.prompt, **arguments.fields}, arguments)
    except (JobError, BotoCoreError, ClientError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
