"""Handlers of Lambda functions, called in this process with events of API Gateway."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import SimpleNamespace, TracebackType
from typing import Any, Self

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

_CONTEXT = SimpleNamespace(
    function_name="bench",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:bench",
    aws_request_id="bench",
)


@dataclass(frozen=True)
class Call:
    """A call of a handler.

    Attributes:
        body: the parsed response.
        seconds: of the whole call.
        aws_s: of its AWS calls.
    """

    body: Any
    seconds: float
    aws_s: float


class AwsCalls(AbstractContextManager["AwsCalls"]):
    """The time that the AWS calls of a botocore session take, counted while the context is entered.

    Attributes:
        seconds: the sum.
    """

    def __init__(self, events: Any) -> None:
        """Listens to a session's event emitter, before the session creates clients."""
        self.seconds = 0.0
        self._started_at = 0.0
        events.register("provide-client-params", self._start)
        events.register("after-call", self._stop)

    def __enter__(self) -> Self:
        self.seconds = 0.0
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        return None

    def _start(self, **_event: Any) -> None:
        self._started_at = time.perf_counter()

    def _stop(self, **_event: Any) -> None:
        self.seconds += time.perf_counter() - self._started_at


def call(handler: Handler, aws_calls: AwsCalls, method: str, path: str, body: Any = None) -> Call:
    """Sends a request to a handler.

    Raises:
        RuntimeError: the response is not successful.
    """
    event = _event(method, path, body)
    with aws_calls:
        started_at = time.perf_counter()
        response = handler(event, _CONTEXT)
        seconds = time.perf_counter() - started_at
    if response["statusCode"] >= 300:
        raise RuntimeError(f"{method} {path}: {response['statusCode']} {response['body']}")
    return Call(json.loads(response["body"]), seconds, aws_calls.seconds)


def _event(method: str, path: str, body: Any) -> dict[str, Any]:
    return {
        "resource": "/v1/{proxy+}",
        "httpMethod": method,
        "path": path,
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {
            "requestId": "bench",
            "stage": "dev",
            "httpMethod": method,
            "path": f"/dev{path}",
            "identity": {"apiKeyId": "bench", "sourceIp": "127.0.0.1"},
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
