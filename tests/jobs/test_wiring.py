"""The services as the environment of a Lambda function configures them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from contract.environment import ApiEnvironment, ModelEndpoint
from contract.model import ModelDeclaration
from jobs import wiring


@pytest.fixture
def environment(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiEnvironment]:
    environment = ApiEnvironment(
        jobs_table_name="jobs",
        data_bucket_name="data",
        powertools_service_name="jobs",
        model_endpoints=(
            ModelEndpoint(
                model=ModelDeclaration(name="demo"),
                endpoint_parameter="/stable-diffusion/test/endpoints/demo",
                invocation_timeout_s=120,
                request_ttl_s=600,
            ),
        ),
        default_model="demo",
        retention_days=5,
    )
    for name, value in environment.variables().items():
        monkeypatch.setenv(name, value)
    yield environment
    wiring.job_service.cache_clear()
    wiring.completion_service.cache_clear()


@pytest.mark.usefixtures("environment")
def test_the_job_service_is_configured_by_the_environment() -> None:
    service = wiring.job_service()
    assert service.retention == timedelta(days=5)
    assert service.data_bucket_name == "data"
    assert service.catalog.default.name == "demo"


@pytest.mark.usefixtures("environment")
def test_links_are_signed_with_signature_version_4() -> None:
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in wiring.job_service().documents.presign(
        "s3://data/outputs/J/0.png"
    )


@pytest.mark.usefixtures("environment")
def test_each_service_is_built_once() -> None:
    assert wiring.job_service() is wiring.job_service()
    assert wiring.completion_service() is wiring.completion_service()
