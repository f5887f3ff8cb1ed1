from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from jobs.errors import HandoverError
from jobs.job import Invocation
from jobs.sagemaker import SageMakerEndpoints

EXPECTED = {
    "EndpointName": "endpoint-1",
    "InputLocation": "s3://data/requests/J.json",
    "InferenceId": "J",
    "ContentType": "application/json",
    "Accept": "application/json",
}


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(boto3.client("sagemaker-runtime")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def invoke(stub: Stubber) -> Invocation:
    return SageMakerEndpoints(stub.client, {"demo": "endpoint-1"}).invoke(
        "demo", "J", "s3://data/requests/J.json"
    )


def test_the_job_id_is_the_inference_id(stub: Stubber) -> None:
    answer = {"InferenceId": "J", "OutputLocation": "s3://o", "FailureLocation": "s3://f"}
    stub.add_response("invoke_endpoint_async", answer, EXPECTED)
    assert invoke(stub) == Invocation(output_location="s3://o", failure_location="s3://f")


@pytest.mark.parametrize(
    "code", ["ValidationError", "ServiceUnavailable", "ThrottlingException", "AccessDenied"]
)
def test_a_refusal_is_a_failed_handover_in_our_words(stub: Stubber, code: str) -> None:
    stub.add_client_error("invoke_endpoint_async", code, "account 123456789012 says no", 400)
    with pytest.raises(HandoverError) as caught:
        invoke(stub)
    assert (
        caught.value.detail
        == "The endpoint of the model 'demo' does not take jobs now; send the job again later."
    )
