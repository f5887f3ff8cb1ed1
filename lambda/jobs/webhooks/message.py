"""The message of a webhook call that has to be made."""

from pydantic import BaseModel, ConfigDict

from contract.identifiers import JobId
from contract.submission import WebhookEvent


class WebhookMessage(BaseModel):
    """A job and the event that its webhook is called for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: JobId
    event: WebhookEvent
