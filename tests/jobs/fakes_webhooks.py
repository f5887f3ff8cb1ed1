"""In-memory implementations of the ports of webhooks."""

from collections.abc import Mapping

from contract.submission import WebhookEvent
from jobs.webhooks.ports import Response


class InMemoryWebhookQueue:
    """Records the calls that were queued."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, WebhookEvent]] = []

    def send(self, job_id: str, event: WebhookEvent) -> None:
        self.sent.append((job_id, event))


class InMemorySigningKeys:
    """Returns fixed keys, the current one first."""

    def __init__(self, *keys: bytes) -> None:
        self.keys = keys or (b"k" * 48,)

    def read(self) -> tuple[bytes, ...]:
        return self.keys


class InMemoryReceivers:
    """Records the calls and answers each with the next response, or raises it."""

    def __init__(self, *responses: Response | Exception) -> None:
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        self.responses = list(responses)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        self.calls.append((url, dict(headers), body))
        response = self.responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response
