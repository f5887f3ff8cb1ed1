"""The models' asynchronous endpoints at SageMaker."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from contract.environment import ModelEndpoint
from contract.generation import Generation
from contract.identifiers import InvocationId
from contract.request import InvocationRequest
from jobs.errors import EndpointUnavailableError, UnconfirmedInvocationError
from jobs.job import Invocation

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_ssm import SSMClient

_LOGGER = logging.getLogger(__name__)
_NAME_CACHE_S = 300
_DESCRIPTION_CACHE_S = 15

_SERVER_ERROR = 500


class SageMakerEndpoints:
    """Asynchronous invocations, with the invocation's id as the inference id and the name of the result.

    The request is the body of the call. SageMaker accepts 128,000 bytes, which is more than the contract.

    A deployment may replace a model's endpoint by one with another name. Names are read from Parameter Store,
    cached for five minutes, and read again when the cached endpoint does not exist.
    """

    def __init__(
        self,
        *,
        runtime: "SageMakerRuntimeClient",
        sagemaker: "SageMakerClient",
        ssm: "SSMClient",
        endpoints: Mapping[str, ModelEndpoint],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Creates the adapter.

        Args:
            runtime: a client without retries, since a call whose answer is lost may have been accepted.
            sagemaker: the client that describes endpoints.
            ssm: the client that reads the endpoints' names.
            endpoints: the endpoint of each model.
            clock: seconds, for caches.
        """
        self._runtime = runtime
        self._sagemaker = sagemaker
        self._ssm = ssm
        self._endpoints = endpoints
        self._clock = clock
        self._names: dict[str, tuple[float, str]] = {}
        self._instances: dict[str, tuple[float, int | None]] = {}

    def invoke(self, generation: Generation, attempt: int) -> Invocation:
        endpoint = self._endpoints[generation.model]
        request = InvocationRequest.model_validate_json(generation.model_dump_json())
        body = request.model_copy(update={"attempt": attempt}).model_dump_json(exclude_unset=True)
        invocation = InvocationId(generation.id, attempt)
        try:
            return self._submit(endpoint, invocation, body.encode())
        except (ClientError, BotoCoreError) as error:
            if _is_lost(error):
                _LOGGER.exception("the answer to invocation %s was lost", invocation)
                raise UnconfirmedInvocationError(str(invocation)) from error
            _LOGGER.exception("the endpoint of %s did not accept %s", generation.model, invocation)
            raise EndpointUnavailableError(
                f"The endpoint of the model {generation.model!r} does not accept jobs now; try again later."
            ) from error

    def instances(self, queue: str) -> int | None:
        cached = self._instances.get(queue)
        if cached is None or self._clock() - cached[0] > _DESCRIPTION_CACHE_S:
            cached = self._clock(), self._count_instances(queue)
            self._instances[queue] = cached
        return cached[1]

    def exists(self, endpoint: str) -> bool:
        try:
            self._sagemaker.describe_endpoint(EndpointName=endpoint)
        except ClientError as error:
            if _is_missing(error):
                return False
            _LOGGER.exception("the endpoint %s could not be described", endpoint)
        except BotoCoreError:
            _LOGGER.exception("the endpoint %s could not be described", endpoint)
        return True

    def _count_instances(self, queue: str) -> int | None:
        endpoint = next(each for each in self._endpoints.values() if each.queue == queue)
        try:
            description = self._sagemaker.describe_endpoint(EndpointName=self._name(endpoint))
        except (ClientError, BotoCoreError):
            _LOGGER.exception("the endpoint of %s could not be described", queue)
            return None
        (variant,) = description["ProductionVariants"]
        count: int | None = variant.get("CurrentInstanceCount")
        return count

    def _submit(self, endpoint: ModelEndpoint, invocation: InvocationId, body: bytes) -> Invocation:
        name = self._name(endpoint)
        try:
            return self._submit_to(name, endpoint, invocation, body)
        except ClientError as error:
            if not _is_missing(error):
                raise
            current = self._name(endpoint, refresh=True)
            if current == name:
                raise
            return self._submit_to(current, endpoint, invocation, body)

    def _submit_to(
        self, name: str, endpoint: ModelEndpoint, invocation: InvocationId, body: bytes
    ) -> Invocation:
        response = self._runtime.invoke_endpoint_async(
            EndpointName=name,
            InferenceId=str(invocation),
            Filename=str(invocation),
            ContentType="application/json",
            Accept="application/json",
            InvocationTimeoutSeconds=endpoint.invocation_timeout_s,
            RequestTTLSeconds=endpoint.request_ttl_s,
            Body=body,
        )
        return Invocation(
            endpoint=name,
            output_location=response["OutputLocation"],
            failure_location=response.get("FailureLocation"),
        )

    def _name(self, endpoint: ModelEndpoint, *, refresh: bool = False) -> str:
        parameter = endpoint.endpoint_parameter
        cached = self._names.get(parameter)
        if refresh or cached is None or self._clock() - cached[0] > _NAME_CACHE_S:
            value = self._ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
            cached = self._clock(), value
            self._names[parameter] = cached
        return cached[1]


def _is_missing(error: ClientError) -> bool:
    """Whether the endpoint does not exist; its name is the only part of these calls that can be invalid."""
    return error.response["Error"]["Code"] in ("ValidationError", "ValidationException")


def _is_lost(error: ClientError | BotoCoreError) -> bool:
    """Whether the service may have processed the call that failed."""
    if isinstance(error, ClientError):
        return error.response["ResponseMetadata"]["HTTPStatusCode"] >= _SERVER_ERROR
    return not isinstance(error, EndpointConnectionError | ConnectTimeoutError)
