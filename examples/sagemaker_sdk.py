"""Draws pictures with the SageMaker Python SDK: AsyncPredictor and its waiter.

python examples/sagemaker_sdk.py "a red circle" --endpoint NAME --bucket NAME

It needs what requirements.txt beside it says, in an environment of its own.
"""

import argparse
import json
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


def draw(predictor: AsyncPredictor, request: Mapping[str, Any], *, bucket: str, timeout_s: int) -> Any:
    """Has a request drawn and gives the result document.

    Args:
        predictor: with JSON on both sides.
        request: the fields of a job.
        bucket: the data bucket.
        timeout_s: how long to wait, in seconds.

    Raises:
        AsyncInferenceModelError: the container has failed.
        PollingTimeoutError: time is up.
    """
    response = predictor.predict_async(
        data=request,
        input_path=f"s3://{bucket}/requests/{uuid4()}.json",
        initial_args={"ContentType": "application/json"},
    )
    return _result(response, WaiterConfig(max_attempts=max(1, timeout_s // _POLL_S), delay=_POLL_S))


def _result(response: AsyncInferenceResponse, waiter: WaiterConfig) -> Any:
    """What `response.get_result(waiter)` gives.

    It leaves a thread behind that looks for the failure until its attempts are used up, and Python would wait
    for it at the end. A pool's threads are daemons, which Python does not wait for, and so are theirs.
    """
    with ThreadPool(1) as daemons:
        return daemons.apply(response.get_result, [waiter])


def _in_words(error: AsyncInferenceError) -> str:
    """What the container has answered, if it is a problem document (RFC 9457), or what the SDK says."""
    try:
        problem = error.kwargs["message"]
        return f"{problem['title']}: {problem['detail']} ({problem['code']})"
    except (LookupError, TypeError):
        return str(error)


def _draw_and_save(session: Session, request: Mapping[str, Any], arguments: argparse.Namespace) -> None:
    predictor = AsyncPredictor(
        Predictor(
            arguments.endpoint,
            sagemaker_session=session,
            serializer=JSONSerializer(),
            deserializer=JSONDeserializer(),
        )
    )
    result = draw(predictor, request, bucket=arguments.bucket, timeout_s=arguments.timeout_s)
    arguments.output.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(result["images"]):
        if image["s3_uri"] is None:
            print(f"image {index} is withheld: {', '.join(image['flags'])}")
            continue
        path = arguments.output / f"{result['id']}-{index}{Path(image['s3_uri']).suffix}"
        predictor.s3_client.download_file(*parse_s3_url(image["s3_uri"]), str(path))
        print(f"{image['s3_uri']} -> {path}")


def json_object(text: str) -> dict[str, Any]:
    """The fields that an argument holds."""
    return dict(json.loads(text))


def main() -> None:
    """Reads the command line; ends with the error in words."""
    parser = argparse.ArgumentParser(
        description="Draw pictures with an endpoint and the SageMaker Python SDK.",
        epilog="Region and credentials are found as boto3 always finds them.",
    )
    parser.add_argument("prompt")
    parser.add_argument("--endpoint", required=True, help="the output EndpointName of the endpoint's stack")
    parser.add_argument("--bucket", required=True, help="the output DataBucketName of the storage stack")
    parser.add_argument("--fields", type=json_object, default={}, help="more of the request: a JSON object")
    parser.add_argument("--output", type=Path, default=Path("out"), help="directory for the images")
    parser.add_argument("--timeout-s", type=int, default=1800, help="an endpoint at rest wakes in minutes")
    arguments = parser.parse_args()
    try:
        _draw_and_save(Session(), {"prompt": arguments.prompt, **arguments.fields}, arguments)
    except AsyncInferenceError as error:
        sys.exit(f"error: {_in_words(error)}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
