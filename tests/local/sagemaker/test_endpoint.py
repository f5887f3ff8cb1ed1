"""Endpoints of the SageMaker emulator: queue, container, responses in S3 and completion messages."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract.environment import ContainerEnvironment
from contract.model import ModelDeclaration, ModelDefaults
from local.emulator import Emulator, Parts
from local.sagemaker.endpoint import AsyncEndpoint
from local.sagemaker.parameters import InvocationParameters
from tests.waiting import LIMIT_S, wait_until

STUB = (sys.executable, str(Path(__file__).parent / "stub_server.py"))
BODY = InvocationParameters.parse({"x-amzn-sagemaker-inference-id": "mine-1"}, b"hello")
ROLE = "arn:aws:iam::000000000000:role/model"


class Endpoint:
    """An endpoint with one worker, and the queue of its completion messages."""

    def __init__(self, emulator: Emulator, directory: Path) -> None:
        aws = emulator.aws
        self.s3, self._sqs, sns = aws.client("s3"), aws.client("sqs"), aws.client("sns")
        self.s3.create_bucket(Bucket="data")
        aws.client("iam").create_role(RoleName="model", AssumeRolePolicyDocument="{}")
        self._queue = self._sqs.create_queue(QueueName="messages")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        topic = sns.create_topic(Name="topic")["TopicArn"]
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=attributes["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )
        environment = ContainerEnvironment(
            model=ModelDeclaration(name="demo", defaults=ModelDefaults(width=64, height=64, steps=1)),
            data_bucket_name="data",
        )
        self.endpoint = AsyncEndpoint(
            "mine",
            {
                "Model": {
                    "ExecutionRoleArn": ROLE,
                    "PrimaryContainer": {"Environment": environment.variables()},
                },
                "Config": {
                    "ProductionVariants": [
                        {"VariantName": "main", "ContainerStartupHealthCheckTimeoutInSeconds": LIMIT_S}
                    ],
                    "AsyncInferenceConfig": {
                        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 1},
                        "OutputConfig": {
                            "S3OutputPath": "s3://data/results/",
                            "S3FailurePath": "s3://data/failures/",
                            "NotificationConfig": {"SuccessTopic": topic, "ErrorTopic": topic},
                        },
                    },
                },
            },
            aws=aws,
            directory=directory,
            command=STUB,
        )

    def next_message(self) -> Any:
        received = wait_until(
            lambda: self._sqs.receive_message(QueueUrl=self._queue, WaitTimeSeconds=1).get("Messages"),
            "a completion message arrives",
        )
        (message,) = received
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return json.loads(message["Body"])

    def read(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket="data", Key=key)["Body"].read()
        return body


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path_factory.mktemp("emulator"), parts=Parts(container=STUB))
    emulator.wait()
    yield emulator
    emulator.stop()


@pytest.fixture(scope="module")
def endpoint(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    created = Endpoint(emulator, tmp_path_factory.mktemp("endpoint"))
    created.endpoint.wait_in_service()
    yield created
    created.endpoint.stop()


def test_an_inline_body_is_processed_and_its_result_stored_under_the_file_name(endpoint: Endpoint) -> None:
    invocation = endpoint.endpoint.enqueue(replace(BODY, file_name="mine-1"))
    assert invocation.output_location.uri == "s3://data/results/mine-1"
    assert invocation.failure_location.uri == "s3://data/failures/mine-1-error.out"
    message = endpoint.next_message()
    assert (message["inferenceId"], message["invocationStatus"]) == ("mine-1", "Completed")
    assert message["responseParameters"]["outputLocation"] == "s3://data/results/mine-1"
    assert "inputLocation" not in message["requestParameters"]
    assert endpoint.read("results/mine-1") == b"hello"


def test_an_extension_is_a_part_of_the_path_of_results(endpoint: Endpoint) -> None:
    invocation = endpoint.endpoint.enqueue(replace(BODY, extension="a/b", file_name="mine-2"))
    assert invocation.output_location.uri == "s3://data/results/a/b/mine-2"
    endpoint.next_message()
    assert endpoint.read("results/a/b/mine-2") == b"hello"


def test_an_input_location_is_read(endpoint: Endpoint) -> None:
    endpoint.s3.put_object(Bucket="data", Key="requests/1", Body=b"from S3")
    location = replace(BODY, body=None, input_location="s3://data/requests/1")
    invocation = endpoint.endpoint.enqueue(location)
    message = endpoint.next_message()
    assert message["requestParameters"]["inputLocation"] == "s3://data/requests/1"
    assert endpoint.read(invocation.output_location.key) == b"from S3"


def test_an_error_response_is_stored_at_the_failure_location(endpoint: Endpoint) -> None:
    endpoint.endpoint.enqueue(replace(BODY, body=b"fail", file_name="mine-3"))
    message = endpoint.next_message()
    assert message["invocationStatus"] == "Failed"
    assert message["failureReason"] == "ModelError: Received 422 from the container"
    assert endpoint.read("failures/mine-3-error.out") == b"unusable"


def test_an_invocation_that_takes_too_long_fails_without_a_response(endpoint: Endpoint) -> None:
    endpoint.endpoint.enqueue(replace(BODY, body=b"sleep 5", file_name="mine-4", timeout_s=0.1))
    message = endpoint.next_message()
    assert message["invocationStatus"] == "Failed"
    assert "timed out" in message["failureReason"]
    assert "failures/mine-4-error.out" not in keys(endpoint)


def test_a_queued_invocation_expires(endpoint: Endpoint) -> None:
    running = endpoint.endpoint.enqueue(replace(BODY, inference_id="running-1", body=b"sleep 3"))
    endpoint.endpoint.enqueue(replace(BODY, inference_id="waiting-1", ttl_s=0.1))
    expired = endpoint.next_message()
    assert (expired["inferenceId"], expired["invocationStatus"]) == ("waiting-1", "Failed")
    assert "expired" in expired["failureReason"]
    assert endpoint.next_message()["inferenceId"] == running.inference_id


def test_a_server_that_ends_is_replaced_and_only_its_running_invocation_fails(endpoint: Endpoint) -> None:
    endpoint.endpoint.enqueue(replace(BODY, inference_id="fatal-1", body=b"die", file_name="fatal-1"))
    endpoint.endpoint.enqueue(replace(BODY, inference_id="later-1"))
    failed, later = endpoint.next_message(), endpoint.next_message()
    assert (failed["inferenceId"], failed["invocationStatus"]) == ("fatal-1", "Failed")
    assert "closed the connection" in failed["failureReason"]
    assert "failures/fatal-1-error.out" not in keys(endpoint)
    assert (later["inferenceId"], later["invocationStatus"]) == ("later-1", "Completed")
    endpoint.endpoint.container.check()


def test_a_killed_server_is_replaced(endpoint: Endpoint) -> None:
    endpoint.endpoint.container.kill()
    endpoint.endpoint.enqueue(replace(BODY, inference_id="after-1"))
    assert endpoint.next_message()["invocationStatus"] == "Completed"


def keys(endpoint: Endpoint) -> list[str]:
    return [each["Key"] for each in endpoint.s3.list_objects_v2(Bucket="data").get("Contents", [])]


def test_an_endpoint_is_described(
    emulator: Emulator, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = emulator.aws.client("sagemaker")
    with pytest.raises(ClientError) as unknown:
        client.describe_endpoint(EndpointName="mine")
    error = unknown.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith('Could not find endpoint "arn:aws:sagemaker:')
    monkeypatch.setitem(emulator.sagemaker._endpoints, "mine", endpoint.endpoint)
    described = client.describe_endpoint(EndpointName="mine")
    assert described["EndpointStatus"] == "InService"
    assert described["ProductionVariants"] == [{"VariantName": "main", "CurrentInstanceCount": 1}]


def test_a_request_with_an_invalid_parameter_is_refused(
    emulator: Emulator, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = emulator.aws.client("sagemaker-runtime")
    monkeypatch.setitem(emulator.sagemaker._endpoints, "mine", endpoint.endpoint)
    with pytest.raises(ClientError) as refused:
        client.invoke_endpoint_async(EndpointName="mine", Body=b"{}", Filename="a.b.c")
    accepted = client.invoke_endpoint_async(EndpointName="mine", Body=b"{}", Filename="mine-5")
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert accepted["OutputLocation"] == "s3://data/results/mine-5"
    assert accepted["FailureLocation"] == "s3://data/failures/mine-5-error.out"
    endpoint.next_message()
