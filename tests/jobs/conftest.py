from collections.abc import Iterator

import pytest
from moto import mock_aws

from jobs import wiring
from jobs.adapters import AdapterCatalog
from jobs.compatibility.openai.models import ModelNames
from tests.jobs.compatibility.automatic1111.settings import InMemorySettings
from tests.jobs.fakes import InMemoryBackend
from tests.jobs.fakes_webhooks import InMemorySigningKeys


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> InMemoryBackend:
    """The backend that both Lambda handlers use."""
    backend = InMemoryBackend()
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "jobs")
    service, completion, keys = backend.service, backend.completion, InMemorySigningKeys()
    adapters, synchronous = AdapterCatalog(backend.adapters), backend.synchronous
    monkeypatch.setattr(wiring, "job_service", lambda: service)
    monkeypatch.setattr(wiring, "synchronous_service", lambda: synchronous)
    settings = InMemorySettings()
    monkeypatch.setattr(wiring, "settings_store", lambda: settings)
    monkeypatch.setattr(wiring, "model_names", lambda: ModelNames(service.catalog, None))
    monkeypatch.setattr(wiring, "adapters", lambda: adapters)
    monkeypatch.setattr(wiring, "completion_service", lambda: completion)
    monkeypatch.setattr(wiring, "reconciler", lambda: backend.reconciler)
    monkeypatch.setattr(wiring, "allowed_origins", lambda: ())
    monkeypatch.setattr(wiring, "signing_keys", lambda: keys)
    return backend
