"""The models' asynchronous endpoints at SageMaker."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.parameters import SSMProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.exceptions import BotoCoreError, ClientError

from contract.environment import ModelEndpoint
from jobs.errors import EndpointUnavailableError
from jobs.job import Invocation

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sagemaker_runtime.type_defs import InvokeEndpointAsyncOutputTypeDef

_LOGGER = logging.getLogger(__name__)
_NAME_CACHE_S = 300


class SageMakerEndpoints:
    """Asynchronous invocations with the job's id as the inference id.

    A deployment may replace a model's endpoint by one with another name. Names are read from Parameter Store,
    cached for five minutes, and read again when the cached endpoint does not exist.
    """

    def __init__(
        self, runtime: "SageMakerRuntimeClient", names: SSMProvider, served: Iterable[ModelEndpoint]
    ) -> None:
        self._runtime = runtime
        self._names = names
        self._served = {each.model.name: each for each in served}

    def invoke(self, model: str, job_id: str, request_uri: str) -> Invocation:
        try:
            response = self._submit(self._served[model], job_id, request_uri)
        except (ClientError, BotoCoreError, GetParameterError) as error:
            _LOGGER.exception("the endpoint of %s did not accept job %s", model, job_id)
            raise EndpointUnavailableError(
                f"The endpoint of the model {model!r} does not accept jobs now; send the job again later."
            ) from error
        return Invocation(
            output_location=response["OutputLocation"], failure_location=response.get("FailureLocation")
        )

    def _submit(
        self, served: ModelEndpoint, job_id: str, request_uri: str
    ) -> "InvokeEndpointAsyncOutputTypeDef":
        name = self._name(served)
        try:
            return self._submit_to(name, served, job_id, request_uri)
        except ClientError as error:
            current = self._name(served, refresh=True)
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

    def _name(self, served: ModelEndpoint, *, refresh: bool = False) -> str:
        return str(self._names.get(served.endpoint_parameter, max_age=_NAME_CACHE_S, force_fetch=refresh))
