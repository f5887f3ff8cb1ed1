"""SageMaker's script mode: the four functions by which a stock container of AWS serves the engine.

https://sagemaker.readthedocs.io/en/stable/frameworks/pytorch/using_pytorch.html#serve-a-pytorch-model
"""

import asyncio
import atexit
import logging
import os
from pathlib import Path
from typing import NamedTuple

import boto3

from contract.environment import ContainerEnvironment
from contract.problem import ErrorCode, Problem, ProblemError
from contract.result import GenerationResult
from inference.data_bucket import DataBucket
from inference.invocation.handler import InvocationHandler
from inference.invocation.running_jobs import RunningJobs
from inference.models.manifests import declaration_of
from inference.observability.metrics import ContainerMetrics
from inference.script_mode.inline_bucket import NO_BUCKET, NoBucket
from inference.wiring import load_handler

_LOGGER = logging.getLogger(__name__)
_JSON = "application/json"
_ANY = ("", "*/*", "application/*")
_NAME = "model"


class ScriptModeError(Exception):
    """The request was not served: the message is a problem document.

    The toolkit in AWS's containers answers with status 500 and a body whose first line is the message.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.model_dump_json())


class ScriptModel(NamedTuple):
    """A loaded model.

    Attributes:
        bucket: where images go: the data bucket, or for want of one into the answer.
    """

    handler: InvocationHandler
    bucket: DataBucket


def model_fn(model_dir: str) -> ScriptModel:
    """The model in a diffusers directory, under the same environment variables as the kit's own container.

    None is needed: without MODEL the manifest or the family decides, and without DATA_BUCKET_NAME images
    come back in the answer.
    """
    environment = _environment(Path(model_dir))
    s3 = boto3.client("s3")
    name = environment.data_bucket_name
    bucket = NoBucket(s3) if name == NO_BUCKET else DataBucket(s3, name)
    handler = load_handler(
        environment,
        s3=s3,
        bucket=bucket,
        telemetry=ContainerMetrics(stage=environment.stage, model=environment.model.name),
        running=RunningJobs(),
    )
    atexit.register(handler.close)  # else the device's thread may be torn from its work
    return ScriptModel(handler, bucket)


def input_fn(body: str | bytes, content_type: str) -> bytes:
    """The body of an invocation.

    Raises:
        ScriptModeError: it is not said to be JSON.
    """
    if content_type.partition(";")[0].strip().lower() != _JSON:
        raise ScriptModeError(Problem.of(ErrorCode.MALFORMED_REQUEST, f"Send JSON, as {_JSON}."))
    return body.encode() if isinstance(body, str) else body


def predict_fn(data: bytes, model: ScriptModel) -> GenerationResult:
    """The finished job.

    Raises:
        ScriptModeError: it has failed.
    """
    try:
        result = asyncio.run(model.handler.handle(data))
    except ProblemError as error:
        raise ScriptModeError(error.problem()) from None
    except Exception:
        _LOGGER.exception("the job has failed")
        problem = Problem.of(ErrorCode.INTERNAL, "The container failed; its log says how.")
        raise ScriptModeError(problem) from None
    return model.bucket.take(result) if isinstance(model.bucket, NoBucket) else result


def output_fn(prediction: GenerationResult, accept: str) -> str:
    """The result document.

    Raises:
        ScriptModeError: the client accepts no JSON.
    """
    accepted = {each.partition(";")[0].strip().lower() for each in (accept or "").split(",")}
    if accepted.isdisjoint((_JSON, *_ANY)):
        raise ScriptModeError(Problem.of(ErrorCode.MALFORMED_REQUEST, f"Accept JSON, as {_JSON}."))
    return prediction.model_dump_json()


def _environment(directory: Path) -> ContainerEnvironment:
    defaults = {"DATA_BUCKET_NAME": NO_BUCKET}
    if "MODEL" not in os.environ:
        defaults["MODEL"] = declaration_of(directory, _NAME).model_dump_json()
    return ContainerEnvironment.read(defaults | os.environ | {"MODEL_DIRECTORY": str(directory)})
