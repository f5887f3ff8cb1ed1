from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.parameters import SSMProvider
from botocore.stub import Stubber
from moto import mock_aws

from contract.environment import ModelEndpoint
from contract.model import ModelDeclaration
from jobs.aws.sagemaker import SageMakerEndpoints
from jobs.errors import EndpointUnavailableError
from jobs.job import Invocation

PARAMETER = "/stable-diffusion/test/endpoints/demo"
DEMO = ModelEndpoint(
    model=ModelDeclaration(name="demo"),
    endpoint_parameter=PARAMETER,
    invocation_timeout_s=120,
    request_ttl_s=600,
)
EXPECTED = {
    "EndpointName": "endpoint-1",
    "InputLocation": "s3://data/requests/J.json",
    "InferenceId": "J",
    "ContentType": "application/json",
    "Accept": "application/json",
    "InvocationTimeoutSeconds": 120,
    "RequestTTLSeconds": 600,
}
RESPONSE = {"InferenceId": "J", "OutputLocation": "s3://o", "FailureLocation": "s3://f"}
INVOCATION = Invocation(output_location="s3://o", failure_location="s3://f")


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(boto3.client("sagemaker-runtime")) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def endpoints(stub: Stubber) -> Iterator[SageMakerEndpoints]:
    with mock_aws():
        set_endpoint_name("endpoint-1")
        yield SageMakerEndpoints(stub.client, SSMProvider(), [DEMO])


def set_endpoint_name(name: str) -> None:
    boto3.client("ssm").put_parameter(Name=PARAMETER, Value=name, Type="String", Overwrite=True)


def invoke(endpoints: SageMakerEndpoints) -> Invocation:
    return endpoints.invoke("demo", "J", "s3://data/requests/J.json")


def test_invoke_sends_the_job_id_as_inference_id_and_the_models_time_limits(
    stub: Stubber, endpoints: SageMakerEndpoints
) -> None:
    stub.add_response("invoke_endpoint_async", RESPONSE, EXPECTED)
    assert invoke(endpoints) == INVOCATION


@pytest.mark.parametrize(
    "code", ["ValidationError", "ServiceUnavailable", "ThrottlingException", "AccessDenied"]
)
def test_a_client_error_raises_endpoint_unavailable_without_aws_details(
    stub: Stubber, endpoints: SageMakerEndpoints, code: str
) -> None:
    stub.add_client_error("invoke_endpoint_async", code, "account 123456789012 is not authorized", 400)
    with pytest.raises(EndpointUnavailableError) as caught:
        invoke(endpoints)
    assert (
        caught.value.detail
        == "The endpoint of the model 'demo' does not accept jobs now; send the job again later."
    )


def test_a_replaced_endpoint_is_found_under_its_new_name(
    stub: Stubber, endpoints: SageMakerEndpoints
) -> None:
    stub.add_response("invoke_endpoint_async", RESPONSE, EXPECTED)
    invoke(endpoints)
    set_endpoint_name("endpoint-2")
    stub.add_client_error("invoke_endpoint_async", "ValidationError", "Endpoint endpoint-1 not found", 400)
    stub.add_response("invoke_endpoint_async", RESPONSE, EXPECTED | {"EndpointName": "endpoint-2"})
    assert invoke(endpoints) == INVOCATION


class RecordingProvider(SSMProvider):
    """Records for how many seconds parameters are cached."""

    def get(self, name: str, max_age: int | None = None, **options: Any) -> Any:
        self.max_age = max_age
        return super().get(name, max_age=max_age, **options)


@pytest.mark.usefixtures("endpoints")
def test_the_endpoint_name_is_cached_for_five_minutes(stub: Stubber) -> None:
    names = RecordingProvider()
    stub.add_response("invoke_endpoint_async", RESPONSE, EXPECTED)
    invoke(SageMakerEndpoints(stub.client, names, [DEMO]))
    assert names.max_age == 300


def test_a_cached_endpoint_name_is_used(stub: Stubber, endpoints: SageMakerEndpoints) -> None:
    for _ in range(2):
        stub.add_response("invoke_endpoint_async", RESPONSE, EXPECTED)
        invoke(endpoints)
        set_endpoint_name("endpoint-2")


@pytest.mark.usefixtures("endpoints")
def test_models_that_share_an_endpoint_are_sent_to_it(stub: Stubber) -> None:
    companion = DEMO.model_copy(update={"model": ModelDeclaration(name="anime")})
    shared = SageMakerEndpoints(stub.client, SSMProvider(), [DEMO, companion])
    for model in ("demo", "anime"):
        stub.add_response("invoke_endpoint_async", RESPONSE, EXPECTED)
        assert shared.invoke(model, "J", "s3://data/requests/J.json") == INVOCATION


def test_a_missing_endpoint_parameter_raises_endpoint_unavailable(
    stub: Stubber, endpoints: SageMakerEndpoints
) -> None:
    boto3.client("ssm").delete_parameter(Name=PARAMETER)
    with pytest.raises(EndpointUnavailableError):
        invoke(endpoints)
