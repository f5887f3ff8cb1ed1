from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber

from contract.environment import ModelEndpoint
from contract.generation import Generation
from contract.model import ModelDeclaration
from contract.request import InvocationRequest
from jobs.aws.sagemaker import SageMakerEndpoints
from jobs.errors import EndpointUnavailableError, UnconfirmedInvocationError
from jobs.job import Invocation
from tests.jobs.fakes import InMemoryDocuments, a_job

PARAMETER = "/stable-diffusion/test/endpoints/demo"
DEMO = ModelEndpoint(
    model=ModelDeclaration(name="demo"),
    queue="demo",
    endpoint_parameter=PARAMETER,
    invocation_timeout_s=120,
    request_ttl_s=600,
)
RESPONSE = {"InferenceId": "J", "OutputLocation": "s3://o", "FailureLocation": "s3://f"}
MISSING = {"service_error_code": "ValidationError", "service_message": "not found", "http_status_code": 400}


class Backend:
    """The adapter with stubbed clients, a clock and documents in memory."""

    def __init__(self) -> None:
        self.runtime = Stubber(boto3.client("sagemaker-runtime"))
        self.sagemaker = Stubber(boto3.client("sagemaker"))
        self.ssm = Stubber(boto3.client("ssm"))
        self.documents = InMemoryDocuments()
        self.seconds = 0.0
        self.endpoints = SageMakerEndpoints(
            runtime=self.runtime.client,
            sagemaker=self.sagemaker.client,
            ssm=self.ssm.client,
            documents=self.documents,
            endpoints={"demo": DEMO},
            clock=lambda: self.seconds,
        )

    @property
    def stubs(self) -> tuple[Stubber, ...]:
        return self.runtime, self.sagemaker, self.ssm

    def expect_name(self, name: str) -> None:
        self.ssm.add_response("get_parameter", {"Parameter": {"Value": name}}, {"Name": PARAMETER})

    def expect_description(self, name: str, count: int) -> None:
        self.sagemaker.add_response(
            "describe_endpoint",
            {
                "EndpointName": name,
                "EndpointArn": "arn:aws:sagemaker:us-east-1:000000000000:endpoint/endpoint-1",
                "EndpointConfigName": "config",
                "EndpointStatus": "InService",
                "CreationTime": 0,
                "LastModifiedTime": 0,
                "ProductionVariants": [{"VariantName": "primary", "CurrentInstanceCount": count}],
            },
            {"EndpointName": name},
        )


@pytest.fixture
def backend() -> Iterator[Backend]:
    backend = Backend()
    for stub in backend.stubs:
        stub.activate()
    yield backend
    for stub in backend.stubs:
        stub.assert_no_pending_responses()


def body_of(generation: Generation, attempt: int) -> bytes:
    request = InvocationRequest.model_validate_json(generation.model_dump_json())
    return request.model_copy(update={"attempt": attempt}).model_dump_json(exclude_unset=True).encode()


def expected(generation: Generation, attempt: int = 1, endpoint: str = "endpoint-1") -> dict[str, Any]:
    return {
        "EndpointName": endpoint,
        "InferenceId": f"{generation.id}-{attempt}",
        "Filename": f"{generation.id}-{attempt}",
        "Body": body_of(generation, attempt),
        "ContentType": "application/json",
        "Accept": "application/json",
        "InvocationTimeoutSeconds": 120,
        "RequestTTLSeconds": 600,
    }


def test_an_invocation_carries_its_request_its_id_and_the_models_time_limits(backend: Backend) -> None:
    generation = a_job().generation
    backend.expect_name("endpoint-1")
    backend.runtime.add_response("invoke_endpoint_async", RESPONSE, expected(generation, 2))
    assert backend.endpoints.invoke(generation, 2) == Invocation(
        endpoint="endpoint-1", output_location="s3://o", failure_location="s3://f"
    )
    assert backend.documents.requests == {}


def test_the_body_is_a_request_that_resolves_to_the_same_generation() -> None:
    generation = a_job(steps=7, count=2).generation
    request = InvocationRequest.model_validate_json(body_of(generation, 2))
    assert (request.id, request.attempt) == (generation.id, 2)
    model = ModelDeclaration(name="demo")
    assert Generation.resolve(request, model, job_id=generation.id, seed=0) == generation


def test_a_large_request_is_stored_in_s3(backend: Backend) -> None:
    generation = a_job(prompt="\x01" * 4000, negative_prompt="\x01" * 4000).generation
    generation = generation.model_copy(update={"embeddings": tuple(f"n{i}" * 40 for i in range(1000))})
    body = body_of(generation, 1)
    assert len(body) > 128_000
    request = expected(generation)
    del request["Body"]
    uri = f"s3://data/requests/{generation.id}.json"
    backend.expect_name("endpoint-1")
    backend.runtime.add_response("invoke_endpoint_async", RESPONSE, request | {"InputLocation": uri})
    backend.endpoints.invoke(generation, 1)
    assert backend.documents.requests == {uri: body}


def test_the_name_is_cached_and_read_again_when_the_endpoint_is_gone(backend: Backend) -> None:
    generation = a_job().generation
    backend.expect_name("endpoint-1")
    for _ in range(2):
        backend.runtime.add_response("invoke_endpoint_async", RESPONSE, expected(generation))
    backend.endpoints.invoke(generation, 1)
    backend.endpoints.invoke(generation, 1)
    backend.runtime.add_client_error("invoke_endpoint_async", **MISSING)
    backend.expect_name("endpoint-2")
    backend.runtime.add_response(
        "invoke_endpoint_async", RESPONSE, expected(generation, endpoint="endpoint-2")
    )
    assert backend.endpoints.invoke(generation, 1).endpoint == "endpoint-2"


def test_the_name_is_read_again_after_five_minutes(backend: Backend) -> None:
    generation = a_job().generation
    backend.expect_name("endpoint-1")
    backend.runtime.add_response("invoke_endpoint_async", RESPONSE, expected(generation))
    backend.endpoints.invoke(generation, 1)
    backend.seconds = 301
    backend.expect_name("endpoint-2")
    backend.runtime.add_response(
        "invoke_endpoint_async", RESPONSE, expected(generation, endpoint="endpoint-2")
    )
    backend.endpoints.invoke(generation, 1)


@pytest.mark.parametrize(
    "error",
    [
        {"service_error_code": "ThrottlingException", "http_status_code": 400},
        {"service_error_code": "AccessDeniedException", "http_status_code": 403},
    ],
)
def test_a_refused_invocation_is_unavailable(backend: Backend, error: dict[str, Any]) -> None:
    backend.expect_name("endpoint-1")
    backend.runtime.add_client_error("invoke_endpoint_async", **error)
    with pytest.raises(EndpointUnavailableError, match="try again later"):
        backend.endpoints.invoke(a_job().generation, 1)


def test_an_endpoint_that_is_gone_and_has_no_successor_is_unavailable(backend: Backend) -> None:
    backend.expect_name("endpoint-1")
    backend.runtime.add_client_error("invoke_endpoint_async", **MISSING)
    backend.expect_name("endpoint-1")
    with pytest.raises(EndpointUnavailableError):
        backend.endpoints.invoke(a_job().generation, 1)


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_error_leaves_unknown_whether_the_invocation_was_accepted(
    backend: Backend, status: int
) -> None:
    backend.expect_name("endpoint-1")
    backend.runtime.add_client_error(
        "invoke_endpoint_async", service_error_code="InternalFailure", http_status_code=status
    )
    with pytest.raises(UnconfirmedInvocationError):
        backend.endpoints.invoke(a_job().generation, 1)


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ReadTimeoutError(endpoint_url="https://x"), UnconfirmedInvocationError),
        (ConnectTimeoutError(endpoint_url="https://x"), EndpointUnavailableError),
        (EndpointConnectionError(endpoint_url="https://x"), EndpointUnavailableError),
    ],
)
def test_a_lost_answer_is_unknown_and_a_failed_connection_is_not(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, error: Exception, raised: type[Exception]
) -> None:
    backend.expect_name("endpoint-1")

    def fail(**_arguments: object) -> None:
        raise error

    monkeypatch.setattr(backend.runtime.client, "invoke_endpoint_async", fail)
    with pytest.raises(raised):
        backend.endpoints.invoke(a_job().generation, 1)


def test_the_number_of_instances_is_cached_for_15_seconds(backend: Backend) -> None:
    backend.expect_name("endpoint-1")
    backend.expect_description("endpoint-1", 0)
    assert backend.endpoints.instances("demo") == 0
    backend.seconds = 15
    assert backend.endpoints.instances("demo") == 0
    backend.seconds = 16
    backend.expect_description("endpoint-1", 2)
    assert backend.endpoints.instances("demo") == 2


def test_the_number_of_instances_is_none_if_the_endpoint_cannot_be_described(backend: Backend) -> None:
    backend.expect_name("endpoint-1")
    backend.sagemaker.add_client_error("describe_endpoint", "ThrottlingException")
    assert backend.endpoints.instances("demo") is None


def test_an_endpoint_exists_unless_sagemaker_says_that_it_does_not(backend: Backend) -> None:
    backend.expect_description("endpoint-1", 1)
    assert backend.endpoints.exists("endpoint-1")
    backend.sagemaker.add_client_error("describe_endpoint", "ThrottlingException")
    assert backend.endpoints.exists("endpoint-1")
    backend.sagemaker.add_client_error("describe_endpoint", "ValidationException")
    assert not backend.endpoints.exists("endpoint-1")
