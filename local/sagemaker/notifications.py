"""SageMaker's completion messages, published to the success or error topic."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from local.aws import REGION
from local.sagemaker.invocation import Invocation, InvocationFailedError

Publish = Callable[[], None]
"""Publishes a message."""

Deliver = Callable[[Publish], None]
"""Passes a message on, by calling its argument; a test may drop, repeat or delay it."""


def deliver(publish: Publish) -> None:
    """Publishes the message."""
    publish()


def success_message(endpoint: str, invocation: Invocation) -> str:
    """The message of an invocation whose result has been stored."""
    parameters = {"contentType": "application/json", "outputLocation": invocation.output_location.uri}
    return _message(endpoint, invocation, {"invocationStatus": "Completed", "responseParameters": parameters})


def failure_message(endpoint: str, invocation: Invocation, error: InvocationFailedError) -> str:
    """The message of an invocation that has failed."""
    return _message(endpoint, invocation, {"invocationStatus": "Failed", "failureReason": str(error)})


def _message(endpoint: str, invocation: Invocation, outcome: Mapping[str, Any]) -> str:
    parameters = invocation.parameters
    location = {"inputLocation": parameters.input_location} if parameters.input_location else {}
    return json.dumps(
        {
            "awsRegion": REGION,
            "eventTime": _timestamp(datetime.now(UTC)),
            "receivedTime": _timestamp(invocation.received_at),
            "requestParameters": {
                "contentType": parameters.content_type,
                "endpointName": endpoint,
                **location,
            },
            "inferenceId": invocation.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
            **outcome,
        }
    )


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
