"""An asynchronous endpoint: a queue of invocations in front of the container, with results in S3 and SNS."""

import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from botocore.exceptions import ClientError

from contract.identifiers import S3Location
from local.aws import REGION, LocalAws
from local.processes import ProcessEndedError
from local.sagemaker.container import Container, ContainerError
from local.sagemaker.invocation import Invocation, InvocationFailedError


@dataclass(frozen=True)
class _Role:
    """Clients with the credentials of the model's execution role, used by the container and by SageMaker."""

    aws: LocalAws
    s3: Any
    sns: Any

    @classmethod
    def assume(cls, aws: LocalAws, arn: str, session: str) -> "_Role":
        """Assumes the role with the given ARN."""
        assumed = aws.assume_role(arn, session)
        return cls(assumed, assumed.client("s3"), assumed.client("sns"))


class AsyncEndpoint:
    """An endpoint as defined by its template.

    Invocations are queued, processed by the container and reported to the success or error topic.
    """

    def __init__(self, name: str, definition: Mapping[str, Any], *, aws: LocalAws, directory: Path) -> None:
        """Starts the container in the background.

        Args:
            name: the endpoint's name.
            definition: the resolved properties of the template's `Model` and `Config`.
            aws: the emulated services.
            directory: for the model and the log.
        """
        self.name = name
        (variant,) = definition["Config"]["ProductionVariants"]
        asynchronous = definition["Config"]["AsyncInferenceConfig"]
        self._output = asynchronous["OutputConfig"]
        self._container = Container(
            definition["Model"]["PrimaryContainer"],
            startup_timeout_s=float(variant["ContainerStartupHealthCheckTimeoutInSeconds"]),
            directory=directory,
        )
        concurrency = int(asynchronous["ClientConfig"]["MaxConcurrentInvocationsPerInstance"])
        self._workers = ThreadPoolExecutor(concurrency, thread_name_prefix=name)
        # In a worker thread: MiniStack is waiting for this constructor and cannot handle the call meanwhile.
        self._role = self._workers.submit(_Role.assume, aws, definition["Model"]["ExecutionRoleArn"], name)
        self._started = self._workers.submit(self._start)

    def _start(self) -> None:
        self._container.start(self._role.result().aws)

    def wait_in_service(self) -> None:
        """Waits until the container is healthy; raises its error if it failed to start."""
        self._started.result()

    def check(self) -> None:
        """Raises ProcessEndedError if the container has ended."""
        self._container.check()

    def enqueue(
        self, inference_id: str | None, input_location: str, content_type: str, ttl_s: float, timeout_s: float
    ) -> Invocation:
        """Queues an invocation; its locations are those of the response that will be written."""
        result_id = uuid4().hex
        invocation = Invocation(
            inference_id=inference_id or result_id,
            input_location=S3Location.parse(input_location),
            output_location=S3Location.parse(f"{self._output['S3OutputPath']}{result_id}.out"),
            failure_location=S3Location.parse(f"{self._output['S3FailurePath']}{result_id}-error.out"),
            content_type=content_type,
            ttl_s=ttl_s,
            timeout_s=timeout_s,
        )
        self._workers.submit(self._process, invocation)
        return invocation

    def drain(self) -> None:
        """Processes the queued invocations in the background and then stops the container."""
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        self._workers.shutdown(wait=True)
        self._container.stop()

    def stop(self) -> None:
        """Discards the queued invocations and stops the container."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._container.stop()

    def _process(self, invocation: Invocation) -> None:
        try:
            result = self._invoke(invocation)
        except InvocationFailedError as error:
            if error.body is not None:
                self._put(invocation.failure_location, error.body)
            self._notify(
                "ErrorTopic", invocation, {"invocationStatus": "Failed", "failureReason": str(error)}
            )
        else:
            self._put(invocation.output_location, result)
            response = {
                "contentType": "application/json",
                "outputLocation": invocation.output_location.uri,
            }
            self._notify(
                "SuccessTopic", invocation, {"invocationStatus": "Completed", "responseParameters": response}
            )

    def _invoke(self, invocation: Invocation) -> bytes:
        try:
            self._started.result()
        except (ContainerError, ProcessEndedError) as error:
            raise InvocationFailedError("InternalServerError: the endpoint has no instance") from error
        queued_s = (datetime.now(UTC) - invocation.received_at).total_seconds()
        if queued_s > invocation.ttl_s:
            raise InvocationFailedError("ClientError: the request expired before it was processed")
        try:
            body = self._get(invocation.input_location)
            response = httpx.post(
                f"{self._container.url}/invocations",
                content=body,
                headers={"Content-Type": invocation.content_type},
                timeout=invocation.timeout_s,
            )
        except ClientError as error:
            raise InvocationFailedError("ClientError: the input location cannot be read") from error
        except httpx.TransportError as error:
            raise InvocationFailedError(f"InternalServerError: {type(error).__name__}") from error
        if not response.is_success:
            raise InvocationFailedError(
                f"ModelError: Received {response.status_code} from the container", response.content
            )
        return response.content

    def _get(self, location: S3Location) -> bytes:
        body: bytes = (
            self._role.result().s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
        )
        return body

    def _put(self, location: S3Location, body: bytes) -> None:
        self._role.result().s3.put_object(
            Bucket=location.bucket, Key=location.key, Body=body, ContentType="application/json"
        )

    def _notify(self, topic: str, invocation: Invocation, outcome: Mapping[str, Any]) -> None:
        message = {
            "awsRegion": REGION,
            "eventTime": _timestamp(datetime.now(UTC)),
            "receivedTime": _timestamp(invocation.received_at),
            "requestParameters": {
                "contentType": invocation.content_type,
                "endpointName": self.name,
                "inputLocation": invocation.input_location.uri,
            },
            "inferenceId": invocation.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
            **outcome,
        }
        self._role.result().sns.publish(
            TopicArn=self._output["NotificationConfig"][topic], Message=json.dumps(message)
        )


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
