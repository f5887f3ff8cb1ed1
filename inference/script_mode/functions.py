"""SageMaker's script mode: the four functions through which AWS's stock containers call the engine.

https://sagemaker.readthedocs.io/en/stable/frameworks/pytorch/using_pytorch.html#serve-a-pytorch-model
"""

import asyncio
import atexit
import logging
import os
from pathlib import Path
from typing import NamedTuple

from contract.environment import ContainerEnvironment
from contract.problem import ErrorCode, Problem, ProblemError
from contract.result import GenerationResult
from inference.data_bucket import DataBucket, create_s3_client
from inference.invocation.handler import InvocationHandler
from inference.invocation.running_jobs import RunningJobs
from inference.models.manifests import declaration_of
from inference.observability.metrics import ContainerMetrics
from inference.script_mode.inline_bucket import NO_BUCKET, InlineBucket
from inference.wiring import load_handler

_LOGGER = logging.getLogger(__name__)
_JSON = "application/json"
_WILDCARDS = ("", "*/*", "application/*")
_MODEL_NAME = "model"


class ScriptModeError(Exception):
    """A failed request; the message is a problem document in JSON.

    The toolkit in AWS's containers responds with status 500, and the message as the first line of the body.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.model_dump_json())


class ScriptModel(NamedTuple):
    """A loaded model.

    Attributes:
        handler: handles the requests.
        bucket: stores the images; an `InlineBucket` if there is no data bucket.
    """

    handler: InvocationHandler
    bucket: DataBucket


def model_fn(model_dir: str) -> ScriptModel:
    """Loads the model from a diffusers directory.

    The environment variables are those of the project's own container, all optional: without MODEL the
    manifest or the model's family gives the declaration; without DATA_BUCKET_NAME the response contains the
    images.
    """
    environment = _environment(Path(model_dir))
    s3 = create_s3_client()
    name = environment.data_bucket_name
    bucket = InlineBucket(s3) if name == NO_BUCKET else DataBucket(s3, name)
    handler = load_handler(
        environment,
        s3=s3,
        bucket=bucket,
        metrics=ContainerMetrics(stage=environment.stage, model=environment.model.name),
        running_jobs=RunningJobs(),
    )
    atexit.register(handler.close)  # stops the engine thread before the interpreter finalizes
    return ScriptModel(handler, bucket)


def input_fn(body: str | bytes, content_type: str) -> bytes:
    """The request body in bytes.

    Raises:
        ScriptModeError: the content type is not JSON.
    """
    if content_type.partition(";")[0].strip().lower() != _JSON:
        raise ScriptModeError(
            Problem.of(ErrorCode.MALFORMED_REQUEST, f"Content-Type: send the request as {_JSON}.")
        )
    return body.encode(errors="surrogatepass") if isinstance(body, str) else body


def predict_fn(data: bytes, model: ScriptModel) -> GenerationResult:
    """Runs the job and returns its result.

    Raises:
        ScriptModeError: the job failed.
    """
    try:
        result = asyncio.run(model.handler.handle(data))
    except ProblemError as error:
        raise ScriptModeError(error.problem()) from None
    except Exception:
        _LOGGER.exception("unexpected error in a job")
        problem = Problem.of(ErrorCode.INTERNAL, "The container failed; see its log for the reason.")
        raise ScriptModeError(problem) from None
    return model.bucket.attach_images(result) if isinstance(model.bucket, InlineBucket) else result


def output_fn(prediction: GenerationResult, accept: str) -> str:
    """The result document in JSON.

    Raises:
        ScriptModeError: the client does not accept JSON.
    """
    accepted = {each.partition(";")[0].strip().lower() for each in (accept or "").split(",")}
    if accepted.isdisjoint((_JSON, *_WILDCARDS)):
        raise ScriptModeError(
            Problem.of(ErrorCode.MALFORMED_REQUEST, f"Accept: only {_JSON} is supported; accept that.")
        )
    return prediction.model_dump_json()


def _environment(directory: Path) -> ContainerEnvironment:
    defaults = {"DATA_BUCKET_NAME": NO_BUCKET}
    if "MODEL" not in os.environ:
        defaults["MODEL"] = declaration_of(directory, _MODEL_NAME).model_dump_json()
    return ContainerEnvironment.read(defaults | os.environ | {"MODEL_DIRECTORY": str(directory)})
