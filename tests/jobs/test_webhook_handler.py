import logging
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from contract.submission import WebhookEvent
from contract.webhooks import MAX_CALLS
from jobs import webhook_handler
from jobs.webhooks import wiring
from jobs.webhooks.delivery import WebhookDelivery
from jobs.webhooks.message import WebhookMessage
from jobs.webhooks.ports import Response, UnreachableReceiverError
from tests.jobs.fakes import InMemoryDocuments
from tests.jobs.fakes_webhooks import InMemoryReceivers, InMemorySigningKeys
from tests.jobs.webhooks.webhook_jobs import JOB_ID, URL, StoredJobs, job_with_webhook


class Postponements:
    """Records the pauses by receipt handle."""

    def __init__(self) -> None:
        self.pauses: dict[str, int] = {}

    def postpone(self, receipt_handle: str, seconds: int) -> None:
        self.pauses[receipt_handle] = seconds


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Postponements:
    postponements = Postponements()
    monkeypatch.setattr(wiring, "webhook_queue", lambda: postponements)
    return postponements


@pytest.fixture
def respond(monkeypatch: pytest.MonkeyPatch, queue: Postponements) -> Any:
    """Makes the job's receiver answer with these responses."""

    def prepare(*responses: Response | Exception) -> InMemoryReceivers:
        receivers, jobs = InMemoryReceivers(*responses), StoredJobs(job_with_webhook())
        delivery = WebhookDelivery(
            jobs=jobs,
            keys=InMemorySigningKeys(),
            receivers=receivers,
            bucket="data",
            link=InMemoryDocuments().presign,
        )
        monkeypatch.setattr(wiring, "webhook_delivery", lambda: delivery)
        return receivers

    return prepare


def record(name: str, *, receives: int = 1, event: WebhookEvent = WebhookEvent.SUCCEEDED) -> dict[str, Any]:
    return {
        "messageId": name,
        "receiptHandle": f"handle of {name}",
        "body": WebhookMessage(job_id=JOB_ID, event=event).model_dump_json(),
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


def call(*records: dict[str, Any]) -> list[str]:
    """The names of the messages that return to the queue."""
    context = LambdaContext()
    context._function_name = context._invoked_function_arn = context._aws_request_id = "f"
    context._memory_limit_in_mb = 512
    response = webhook_handler.handler({"Records": list(records)}, context)
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"] if failure]


def test_only_messages_whose_call_failed_return_to_the_queue(queue: Postponements, respond: Any) -> None:
    receivers = respond(Response(status=200), Response(status=500), Response(status=410))
    assert call(record("a"), record("b"), record("c"), record("d", event=WebhookEvent.FAILED)) == ["b"]
    assert queue.pauses == {"handle of b": 10}
    assert len(receivers.calls) == 3


def test_the_pause_depends_on_the_number_of_receives(queue: Postponements, respond: Any) -> None:
    receives = range(1, MAX_CALLS + 1)
    respond(*[UnreachableReceiverError("the host cannot be resolved")] * MAX_CALLS)
    names = [str(each) for each in receives]
    assert call(*(record(str(each), receives=each) for each in receives)) == names
    assert list(queue.pauses.values()) == [10, 30, 120, 600, 1800, 3600, 7200, 0]


def test_a_longer_pause_of_the_receiver_is_kept(queue: Postponements, respond: Any) -> None:
    respond(Response(status=429, retry_after="100"))
    call(record("a"))
    assert queue.pauses == {"handle of a": 100}


def test_a_message_that_is_none_is_an_error(respond: Any) -> None:
    respond()
    with pytest.raises(ValueError, match="job_id"):
        call(record("a") | {"body": "{}"})


@pytest.mark.parametrize("status", [200, 410, 500])
def test_the_log_has_the_host_and_the_status_and_no_path_and_no_body(
    respond: Any, status: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = []
    monkeypatch.setattr(
        webhook_handler.logger.registered_handler, "emit", lambda line: output.append(vars(line))
    )
    webhook_handler.logger.setLevel(logging.INFO)
    respond(Response(status=status))
    call(record("a"))
    (line,) = output
    assert (line["host"], line["status"]) == ("hooks.example", status)
    assert (line["job_id"], line["event"], line["attempt"]) == (JOB_ID, "succeeded", 1)
    path = URL.removeprefix("https://hooks.example")
    assert not any(text in str(line) for text in (path, "xyzzy", "red circle"))
