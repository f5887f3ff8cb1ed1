"""The models' endpoints at SageMaker."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.parameters import SSMProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.exceptions import BotoCoreError, ClientError

from contract.environment import ModelEndpoint
from jobs.errors import HandoverError
from jobs.job import Invocation

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sagemaker_runtime.type_defs import InvokeEndpointAsyncOutputTypeDef

_LOGGER = logging.getLogger(__name__)
_NAMES_KEPT_S = 300


class SageMakerEndpoints:
    """Asynchronous invocations; the inference id is the job's.

    A deployment may put another endpoint in a model's place. The names are kept for some minutes and
    read anew when an endpoint is gone.
    """

    def __init__(
        self, runtime: "SageMakerRuntimeClient", names: SSMProvider, served: Iterable[ModelEndpoint]
    ) -> None:
        """Takes the store of the endpoints' names, and what is served by which."""
        self._runtime = runtime
        self._names = names
        self._served = {each.model.name: each for each in served}

    def invoke(self, model: str, job_id: str, request_uri: str) -> Invocation:
        try:
            answer = self._submit(self._served[model], job_id, request_uri)
        except (ClientError, BotoCoreError, GetParameterError) as error:
            _LOGGER.exception("job %s was not taken by the endpoint of %s", job_id, model)
            raise HandoverError(
                f"The endpoint of the model {model!r} does not take jobs now; send the job again later."
            ) from error
        return Invocation(
            output_location=answer["OutputLocation"], failure_location=answer.get("FailureLocation")
        )

    def _submit(
        self, served: ModelEndpoint, job_id: str, request_uri: str
    ) -> "InvokeEndpointAsyncOutputTypeDef":
        name = self._name(served)
        try:
            return self._submit_to(name, served, job_id, request_uri)
        except ClientError as error:
            current = self._name(served, afresh=True)
            if error.response["Error"]["Code"] != "ValidationError" or current == name:
                raise
            return self._submit_to(current, served, job_id, request_uri)

    def _submit_to(
        self, name: str, served: ModelEndpoint, job_id: str, request_uri: str
    ) -> "InvokeEndpointAsyncOutputTypeDef":
        return self._runtime.invoke_endpoint_async(
            EndpointName=name,
            InputLocation=request_uri,
            InferenceId=job_id,
            ContentType="application/json",
            Accept="application/json",
            InvocationTimeoutSeconds=served.invocation_timeout_s,
            RequestTTLSeconds=served.request_ttl_s,
        )

    def _name(self, served: ModelEndpoint, *, afresh: bool = False) -> str:
        return str(self._names.get(served.endpoint_parameter, max_age=_NAMES_KEPT_S, force_fetch=afresh))
