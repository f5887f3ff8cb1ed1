"""In-memory implementations of the ports of webhooks."""

from contract.submission import WebhookEvent


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
