"""An asynchronous endpoint: a queue of invocations in front of the container, with results in S3 and SNS."""

import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from contract.identifiers import S3Location
from local.aws import LocalAws
from local.processes import ProcessEndedError
from local.sagemaker.container import INFERENCE_COMMAND, Container, ContainerError
from local.sagemaker.invocation import Invocation, InvocationExpiredError, InvocationFailedError
from local.sagemaker.notifications import Deliver, deliver, failure_message, success_message
from local.sagemaker.parameters import InvocationParameters

_LOGGER = logging.getLogger(__name__)
_EXPIRY_INTERVAL_S = 0.5
_ATTEMPTS = 8
"""Of storing a response and publishing a message: SageMaker loses none."""


@dataclass(frozen=True)
class _Role:
    """Clients with the credentials of the model's execution role, used by the container and by SageMaker."""

    aws: LocalAws
    s3: Any
    sns: Any

    @classmethod
    def assume(cls, aws: LocalAws, arn: str, session: str, *, connections: int) -> "_Role":
        """Assumes the role with the given ARN."""
        assumed = aws.assume_role(arn, session)
        return cls(
            assumed,
            assumed.client("s3", connections=connections, attempts=_ATTEMPTS),
            assumed.client("sns", connections=connections, attempts=_ATTEMPTS),
        )


class AsyncEndpoint:
    """An endpoint as defined by its template.

    Invocations are queued, processed by the container and reported to the success or error topic.
    """

    def __init__(
        self,
        name: str,
        definition: Mapping[str, Any],
        *,
        aws: LocalAws,
        directory: Path,
        command: Sequence[str] = INFERENCE_COMMAND,
        deliver: Deliver = deliver,
    ) -> None:
        """Starts the container in the background.

        Args:
            name: the endpoint's name.
            definition: the resolved properties of the template's `Model` and `Config`.
            aws: the emulated services.
            directory: for the model and the log.
            command: the container's program.
            deliver: passes the completion messages on.
        """
        self.name = name
        (variant,) = definition["Config"]["ProductionVariants"]
        self.variant = str(variant["VariantName"])
        asynchronous = definition["Config"]["AsyncInferenceConfig"]
        self._output = asynchronous["OutputConfig"]
        self._deliver = deliver
        self.container = Container(
            definition["Model"]["PrimaryContainer"],
            startup_timeout_s=float(variant["ContainerStartupHealthCheckTimeoutInSeconds"]),
            directory=directory,
            command=command,
        )
        concurrency = int(asynchronous["ClientConfig"]["MaxConcurrentInvocationsPerInstance"])
        self._http = httpx.Client(
            base_url=self.container.url,
            timeout=None,  # noqa: S113 - every invocation has its own
            limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=0),
        )
        self._workers = ThreadPoolExecutor(concurrency, thread_name_prefix=name)
        self._queued: dict[Invocation, Future[None]] = {}
        self._closed = threading.Event()
        threading.Thread(target=self._expire_queued, daemon=True).start()
        # In a worker thread: MiniStack is waiting for this constructor and cannot handle the call meanwhile.
        arn = definition["Model"]["ExecutionRoleArn"]
        self._role = self._workers.submit(_Role.assume, aws, arn, name, connections=concurrency)
        self._started = self._workers.submit(self._start)

    def _start(self) -> None:
        self.container.start(self._role.result().aws)

    @property
    def status(self) -> str:
        """SageMaker's status of the endpoint."""
        if not self._started.done():
            return "Creating"
        return "Failed" if self._started.exception() else "InService"

    def wait_in_service(self) -> None:
        """Waits until the container is healthy; raises its error if it failed to start."""
        self._started.result()

    def enqueue(self, parameters: InvocationParameters) -> Invocation:
        """Queues an invocation; its locations are those of the response that will be written.

        Raises:
            ValueError: the endpoint's output or failure path is no S3 URI.
        """
        invocation = Invocation.accept(parameters, self._output)
        self._queued[invocation] = self._workers.submit(self._process, invocation)
        return invocation

    def drain(self) -> None:
        """Processes the queued invocations in the background and then stops the container."""
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        self._workers.shutdown(wait=True)
        self._closed.set()
        self.container.stop()

    def stop(self) -> None:
        """Discards the queued invocations and stops the container."""
        self._closed.set()
        self._workers.shutdown(wait=False, cancel_futures=True)
        self.container.stop()

    def _expire_queued(self) -> None:
        """Ends the queued invocations whose time to live is over."""
        while not self._closed.wait(_EXPIRY_INTERVAL_S):
            for invocation, future in tuple(self._queued.items()):
                if future.running() or future.done():
                    del self._queued[invocation]
                elif invocation.remaining_ttl_s() <= 0 and future.cancel():
                    del self._queued[invocation]
                    self._finish(invocation, InvocationExpiredError())

    def _process(self, invocation: Invocation) -> None:
        try:
            outcome: bytes | InvocationFailedError = self._invoke(invocation)
        except InvocationFailedError as error:
            outcome = error
        if not self._closed.is_set():
            self._finish(invocation, outcome)

    def _finish(self, invocation: Invocation, outcome: bytes | InvocationFailedError) -> None:
        """Stores the response and publishes the completion message."""
        try:
            if isinstance(outcome, bytes):
                self._put(invocation.output_location, outcome)
                self._publish("SuccessTopic", success_message(self.name, invocation))
            else:
                if outcome.body is not None:
                    self._put(invocation.failure_location, outcome.body)
                self._publish("ErrorTopic", failure_message(self.name, invocation, outcome))
        except (BotoCoreError, ClientError):
            _LOGGER.exception("the outcome of %s could not be reported", invocation.inference_id)

    def _invoke(self, invocation: Invocation) -> bytes:
        parameters = invocation.parameters
        body = self._body(parameters)
        response = self._post(invocation, body)
        if not response.is_success:
            raise InvocationFailedError(
                f"ModelError: Received {response.status_code} from the container", response.content
            )
        return response.content

    def _post(self, invocation: Invocation, body: bytes) -> httpx.Response:
        """Sends the request to the container; while there is none, the invocation remains in the queue."""
        parameters = invocation.parameters
        while True:
            self._wait_for_container(invocation)
            try:
                return self._http.post(
                    "/invocations",
                    content=body,
                    headers={"Content-Type": parameters.content_type},
                    timeout=parameters.timeout_s,
                )
            except httpx.ConnectError:
                self._closed.wait(_EXPIRY_INTERVAL_S)  # the server has just ended
            except httpx.TimeoutException as error:
                raise InvocationFailedError(
                    "ModelError: the invocation timed out while waiting for a response from the container"
                ) from error
            except httpx.TransportError as error:
                raise InvocationFailedError(
                    "InternalServerError: the container closed the connection"
                ) from error

    def _wait_for_container(self, invocation: Invocation) -> None:
        try:
            self._started.result()
            healthy = self.container.wait_healthy(max(0, invocation.remaining_ttl_s()))
        except (ContainerError, ProcessEndedError) as error:
            raise InvocationFailedError("InternalServerError: the endpoint has no instance") from error
        if not healthy or invocation.remaining_ttl_s() <= 0:
            raise InvocationExpiredError

    def _body(self, parameters: InvocationParameters) -> bytes:
        if parameters.body is not None:
            return parameters.body
        try:
            location = S3Location.parse(str(parameters.input_location))
            response = self._role.result().s3.get_object(Bucket=location.bucket, Key=location.key)
            body: bytes = response["Body"].read()
        except (ValueError, BotoCoreError, ClientError) as error:
            raise InvocationFailedError("ClientError: the input location cannot be read") from error
        return body

    def _put(self, location: S3Location, body: bytes) -> None:
        self._role.result().s3.put_object(
            Bucket=location.bucket, Key=location.key, Body=body, ContentType="application/json"
        )

    def _publish(self, topic: str, message: str) -> None:
        arn, sns = self._output["NotificationConfig"][topic], self._role.result().sns
        self._deliver(lambda: sns.publish(TopicArn=arn, Message=message))
