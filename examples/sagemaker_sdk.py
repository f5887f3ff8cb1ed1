"""Generates images with the SageMaker Python SDK: AsyncPredictor and its waiter.

python examples/sagemaker_sdk.py "a red circle" --endpoint NAME --bucket NAME

Requires the packages of requirements.txt, in a virtual environment of their own.
"""

import argparse
import base64
import json
import mimetypes
import sys
from collections.abc import Mapping
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from sagemaker import Session
from sagemaker.async_inference import AsyncInferenceResponse, WaiterConfig
from sagemaker.deserializers import JSONDeserializer
from sagemaker.exceptions import AsyncInferenceError
from sagemaker.predictor import Predictor
from sagemaker.predictor_async import AsyncPredictor
from sagemaker.s3 import parse_s3_url
from sagemaker.serializers import JSONSerializer

_POLL_S = 2


def generate(predictor: AsyncPredictor, request: Mapping[str, Any], *, bucket: str, timeout_s: int) -> Any:
    """Invokes the endpoint and returns the result document.

    Args:
        predictor: with a JSON serializer and a JSON deserializer.
        request: the fields of a job.
        bucket: the data bucket.
        timeout_s: in seconds.

    Raises:
        AsyncInferenceModelError: the container failed.
        PollingTimeoutError: the invocation timed out.
    """
    response = predictor.predict_async(
        data=request,
        input_path=f"s3://{bucket}/requests/{uuid4()}.json",
        initial_args={"ContentType": "application/json"},
    )
    return _result(response, WaiterConfig(max_attempts=max(1, timeout_s // _POLL_S), delay=_POLL_S))


def _result(response: AsyncInferenceResponse, waiter: WaiterConfig) -> Any:
    """`response.get_result(waiter)`, called in a daemon thread.

    `get_result` starts a thread that polls for a failure until its attempts are used up, even if the result
    arrives. Threads inherit the daemon flag, so that the interpreter does not wait for it at exit.
    """
    with ThreadPool(1) as daemons:
        return daemons.apply(response.get_result, [waiter])


def _describe(error: AsyncInferenceError) -> str:
    """The container's problem document (RFC 9457) as a sentence; otherwise the SDK's message."""
    try:
        problem = error.kwargs["message"]
        return f"{problem['title']}: {problem['detail']} ({problem['code']})"
    except (LookupError, TypeError):
        return str(error)


def _generate_and_save(session: Session, request: Mapping[str, Any], arguments: argparse.Namespace) -> None:
    predictor = AsyncPredictor(
        Predictor(
            arguments.endpoint,
            sagemaker_session=session,
            serializer=JSONSerializer(),
            deserializer=JSONDeserializer(),
        )
    )
    result = generate(predictor, request, bucket=arguments.bucket, timeout_s=arguments.timeout_s)
    arguments.output.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(result["images"]):
        if image["s3_uri"] is None:
            print(f"image {index} is withheld: {', '.join(image['flags'])}")
            continue
        path = arguments.output / f"{result['id']}-{index}{Path(image['s3_uri']).suffix}"
        predictor.s3_client.download_file(*parse_s3_url(image["s3_uri"]), str(path))
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
        description="Generate images with an endpoint and the SageMaker Python SDK.",
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
    parser.add_argument("--timeout-s", type=int, default=1800, help="an idle endpoint starts in minutes")
    arguments = parser.parse_args()
    try:
        _generate_and_save(Session(), {"prompt": arguments.prompt, **arguments.fields}, arguments)
    except AsyncInferenceError as error:
        sys.exit(f"error: {_describe(error)}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
