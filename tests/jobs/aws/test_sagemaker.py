import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import ANY, Stubber

from contract.environment import ModelEndpoint
from contract.model import ModelDeclaration
from contract.options import ControlNet, Lora
from contract.request import MAX_PROMPT_CHARACTERS, InvocationRequest
from jobs.aws.sagemaker import SageMakerEndpoints
from jobs.errors import EndpointUnavailableError, UnconfirmedInvocationError
from jobs.job import Invocation
from tests.jobs.fakes import a_job

PARAMETER = "/stable-diffusion/test/endpoints/demo"
DEMO = ModelEndpoint(
    model=ModelDeclaration(name="demo"),
    queue="demo",
    endpoint_parameter=PARAMETER,
    invocation_timeout_s=120,
    request_ttl_s=600,
)
JOB = a_job()
URL = "https://sagemaker.example"
RESPONSE = {"OutputLocation": "s3://data/results/1", "FailureLocation": "s3://data/failures/1"}
INVOCATION = Invocation(
    endpoint="endpoint-1", output_location="s3://data/results/1", failure_location="s3://data/failures/1"
)


def expected(name: str = "endpoint-1", **changes: Any) -> dict[str, Any]:
    return {
        "EndpointName": name,
        "InferenceId": f"{JOB.id}-2",
        "Filename": f"{JOB.id}-2",
        "ContentType": "application/json",
        "Accept": "application/json",
        "InvocationTimeoutSeconds": 120,
        "RequestTTLSeconds": 600,
        **({"Body": ANY} | changes),
    }


class Aws:
    """Stubbed clients, a movable clock, and the adapter that uses them."""

    def __init__(self) -> None:
        session = botocore.session.get_session()
        self.runtime, self.sagemaker, self.ssm = (
            Stubber(session.create_client(name, region_name="us-east-1"))
            for name in ("sagemaker-runtime", "sagemaker", "ssm")
        )
        self.now = 0.0
        self.endpoints = SageMakerEndpoints(
            runtime=self.runtime.client,
            sagemaker=self.sagemaker.client,
            ssm=self.ssm.client,
            endpoints={"demo": DEMO},
            clock=lambda: self.now,
        )

    def name_is(self, name: str) -> None:
        """The next read of the parameter returns the name."""
        self.ssm.add_response("get_parameter", {"Parameter": {"Value": name}}, {"Name": PARAMETER})

    def count_is(self, count: int) -> None:
        """The next description of the endpoint has this number of instances."""
        description = {
            "EndpointName": "endpoint-1",
            "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/endpoint-1",
            "EndpointStatus": "InService",
            "CreationTime": 0,
            "LastModifiedTime": 0,
            "ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": count}],
        }
        self.sagemaker.add_response("describe_endpoint", description, {"EndpointName": "endpoint-1"})

    def invoke(self) -> Invocation:
        return self.endpoints.invoke(JOB.generation, 2)


@pytest.fixture
def aws_stubs() -> Iterator[Aws]:
    aws = Aws()
    with aws.runtime, aws.sagemaker, aws.ssm:
        yield aws
        for stub in (aws.runtime, aws.sagemaker, aws.ssm):
            stub.assert_no_pending_responses()


def test_an_invocation_is_named_by_its_id_and_has_the_models_time_limits(aws_stubs: Aws) -> None:
    aws_stubs.name_is("endpoint-1")
    aws_stubs.runtime.add_response("invoke_endpoint_async", RESPONSE, expected())
    assert aws_stubs.invoke() == INVOCATION


def test_the_failure_location_may_be_missing(aws_stubs: Aws) -> None:
    aws_stubs.name_is("endpoint-1")
    aws_stubs.runtime.add_response("invoke_endpoint_async", {"OutputLocation": "s3://data/results/1"})
    assert aws_stubs.invoke().failure_location is None


class RecordingRuntime:
    """A client that records its calls."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[dict[str, Any]] = []
        self.error = error

    def invoke_endpoint_async(self, **call: Any) -> dict[str, str]:
        self.calls.append(call)
        if self.error is not None:
            raise self.error
        return RESPONSE


def endpoints_with(runtime: RecordingRuntime) -> SageMakerEndpoints:
    ssm = SimpleNamespace(get_parameter=lambda Name: {"Parameter": {"Value": "endpoint-1"}})  # noqa: N803
    return SageMakerEndpoints(
        runtime=runtime,  # type: ignore[arg-type]
        sagemaker=SimpleNamespace(),  # type: ignore[arg-type]
        ssm=ssm,  # type: ignore[arg-type]
        endpoints={"demo": DEMO},
    )


def test_the_largest_request_is_below_sagemakers_limit_for_bodies() -> None:
    """Each field has the characters with the longest form in JSON that it accepts."""
    uri = "https://example.com/" + "\U0001f600" * 2028
    job = a_job(
        prompt="x" + "\x01" * (MAX_PROMPT_CHARACTERS - 1),
        negative_prompt="\x01" * MAX_PROMPT_CHARACTERS,
        input_image=uri,
        mask_image=uri,
        controlnets=tuple(ControlNet(type="canny", image=uri, weight=0.1) for _ in range(4)),
        loras=tuple(Lora(name=f"{n}" * 100, weight=0.1) for n in range(8)),
        embeddings=tuple(f"{n}" * 100 for n in range(8)),
        vae="v" * 100,
        output_s3_uri="s3://b/" + "\U0001f600" * 890 + "/",
    )
    runtime = RecordingRuntime()
    endpoints_with(runtime).invoke(job.generation, 2)
    assert 90_000 < len(runtime.calls[0]["Body"]) < 128_000


def test_the_body_is_the_generation_with_the_attempt() -> None:
    runtime = RecordingRuntime()
    endpoints_with(runtime).invoke(JOB.generation, 2)
    (call,) = runtime.calls
    assert json.loads(call["Body"]) == {**JOB.generation.model_dump(mode="json"), "attempt": 2}
    assert InvocationRequest.model_validate_json(call["Body"]).attempt == 2


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ReadTimeoutError(endpoint_url=URL), UnconfirmedInvocationError),
        (ConnectTimeoutError(endpoint_url=URL), EndpointUnavailableError),
        (EndpointConnectionError(endpoint_url=URL), EndpointUnavailableError),
    ],
)
def test_a_call_that_reached_the_service_is_unconfirmed_and_another_has_failed(
    error: Exception, raised: type[Exception]
) -> None:
    runtime = RecordingRuntime(error)
    with pytest.raises(raised):
        endpoints_with(runtime).invoke(JOB.generation, 1)
    assert len(runtime.calls) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_an_error_of_the_service_is_unconfirmed(aws_stubs: Aws, status: int) -> None:
    aws_stubs.name_is("endpoint-1")
    aws_stubs.runtime.add_client_error("invoke_endpoint_async", "InternalFailure", http_status_code=status)
    with pytest.raises(UnconfirmedInvocationError):
        aws_stubs.invoke()


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDenied"])
def test_a_refused_call_raises_endpoint_unavailable_without_details_of_aws(aws_stubs: Aws, code: str) -> None:
    aws_stubs.name_is("endpoint-1")
    aws_stubs.runtime.add_client_error("invoke_endpoint_async", code, "account 123456789012", 400)
    with pytest.raises(EndpointUnavailableError) as caught:
        aws_stubs.invoke()
    assert (
        caught.value.detail == "The endpoint of the model 'demo' does not accept jobs now; try again later."
    )


def test_a_replaced_endpoint_is_found_under_its_new_name(aws_stubs: Aws) -> None:
    aws_stubs.name_is("endpoint-1")
    aws_stubs.runtime.add_client_error("invoke_endpoint_async", "ValidationError", "not found", 400)
    aws_stubs.name_is("endpoint-2")
    for _ in range(2):  # the second invocation uses the new name without another read
        aws_stubs.runtime.add_response("invoke_endpoint_async", RESPONSE, expected("endpoint-2"))
        assert aws_stubs.invoke().endpoint == "endpoint-2"


def test_a_missing_endpoint_whose_name_has_not_changed_is_unavailable(aws_stubs: Aws) -> None:
    for _ in range(2):
        aws_stubs.name_is("endpoint-1")
    aws_stubs.runtime.add_client_error("invoke_endpoint_async", "ValidationError", "not found", 400)
    with pytest.raises(EndpointUnavailableError):
        aws_stubs.invoke()


def test_the_name_is_read_again_after_five_minutes(aws_stubs: Aws) -> None:
    for now, name in ((0.0, "endpoint-1"), (300.0, "endpoint-1"), (301.0, "endpoint-2")):
        aws_stubs.now = now
        if now != 300.0:
            aws_stubs.name_is(name)
        aws_stubs.runtime.add_response("invoke_endpoint_async", RESPONSE, expected(name))
        aws_stubs.invoke()


def test_the_instances_are_counted_at_most_every_15_seconds(aws_stubs: Aws) -> None:
    aws_stubs.name_is("endpoint-1")
    aws_stubs.count_is(0)
    assert aws_stubs.endpoints.instances("demo") == 0
    aws_stubs.now = 15.0
    assert aws_stubs.endpoints.instances("demo") == 0
    aws_stubs.now = 16.0
    aws_stubs.count_is(2)
    assert aws_stubs.endpoints.instances("demo") == 2


def test_the_number_of_instances_of_an_endpoint_that_cannot_be_described_is_unknown(aws_stubs: Aws) -> None:
    aws_stubs.name_is("endpoint-1")
    aws_stubs.sagemaker.add_client_error("describe_endpoint", "ThrottlingException")
    assert aws_stubs.endpoints.instances("demo") is None


@pytest.mark.parametrize(
    ("code", "exists"), [("ValidationException", False), ("ThrottlingException", True), (None, True)]
)
def test_an_endpoint_is_missing_only_if_sagemaker_says_so(
    aws_stubs: Aws, code: str | None, exists: bool
) -> None:
    if code is None:
        aws_stubs.count_is(1)
    else:
        aws_stubs.sagemaker.add_client_error("describe_endpoint", code)
    assert aws_stubs.endpoints.exists("endpoint-1") is exists
