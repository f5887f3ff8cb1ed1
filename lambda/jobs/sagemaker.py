"""The models' endpoints at SageMaker."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from jobs.errors import HandoverError
from jobs.job import Invocation

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

_LOGGER = logging.getLogger(__name__)


class SageMakerEndpoints:
    """Asynchronous invocations; the inference id is the job's."""

    def __init__(self, runtime: "SageMakerRuntimeClient", endpoint_names: Mapping[str, str]) -> None:
        """Takes the endpoint's name by the model's."""
        self._runtime = runtime
        self._endpoint_names = endpoint_names

    def invoke(self, model: str, job_id: str, request_uri: str) -> Invocation:
        try:
            answer = self._runtime.invoke_endpoint_async(
                EndpointName=self._endpoint_names[model],
                InputLocation=request_uri,
                InferenceId=job_id,
                ContentType="application/json",
                Accept="application/json",
            )
        except (ClientError, BotoCoreError) as error:
            _LOGGER.exception("job %s was not taken by the endpoint of %s", job_id, model)
            raise HandoverError(
                f"The endpoint of the model {model!r} does not take jobs now; send the job again later."
            ) from error
        return Invocation(
            output_location=answer["OutputLocation"], failure_location=answer.get("FailureLocation")
        )
