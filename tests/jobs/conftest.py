from collections.abc import Iterator

import pytest
from moto import mock_aws

from jobs import wiring
from jobs.completion import CompletionService
from tests.jobs.fakes import InMemoryBackend


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> InMemoryBackend:
    """The backend that both Lambda handlers use."""
    backend = InMemoryBackend()
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "jobs")
    monkeypatch.setattr(wiring, "job_service", lambda: backend.service)
    completion_service = CompletionService(jobs=backend.jobs, documents=backend.documents)
    monkeypatch.setattr(wiring, "completion_service", lambda: completion_service)
    return backend
