"""The services as the environment of a Lambda function configures them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from contract.environment import ApiEnvironment, ModelEndpoint, ReconcilerEnvironment
from contract.model import ModelDeclaration
from jobs import wiring

_ENDPOINT = ModelEndpoint(
    model=ModelDeclaration(name="demo"),
    queue="demo",
    endpoint_parameter="/stable-diffusion/test/endpoints/demo",
)
_COMMON = {
    "jobs_table_name": "jobs",
    "estimates_table_name": "estimates",
    "data_bucket_name": "data",
    "webhook_queue_url": "https://sqs.us-east-1.amazonaws.com/1/webhooks",
    "powertools_service_name": "jobs",
    "model_endpoints": (_ENDPOINT,),
}


@pytest.fixture(autouse=True)
def environment(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    api = ApiEnvironment.model_validate(
        {
            **_COMMON,
            "default_model": "demo",
            "signing_secret_arn": "secret",
            "retention_days": 5,
            "shared_jobs": False,
        }
    )
    reconciler = ReconcilerEnvironment.model_validate({**_COMMON, "stage": "test"})
    for name, value in (api.variables() | reconciler.variables()).items():
        monkeypatch.setenv(name, value)
    cached = (
        wiring.session,
        wiring.job_service,
        wiring.completion_service,
        wiring.reconciler,
        wiring.signing_keys,
        wiring.stage,
    )
    for each in cached:
        each.cache_clear()
    yield
    for each in cached:
        each.cache_clear()


def test_the_job_service_is_configured_by_the_environment() -> None:
    service = wiring.job_service()
    assert service.submissions.retention == timedelta(days=5)
    assert service.data_bucket_name == "data"
    assert service.catalog.default.name == "demo"
    assert not service.shared


def test_links_are_signed_with_signature_version_4() -> None:
    link = wiring.job_service().documents.presign("s3://data/outputs/J/0.png")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link.url


def test_each_service_is_built_once() -> None:
    for build in (wiring.job_service, wiring.completion_service, wiring.reconciler, wiring.signing_keys):
        assert build() is build()


def test_invocations_are_never_retried() -> None:
    """A retry after a lost answer would generate the images twice."""
    client = wiring.reconciler().invoker.invocations._runtime  # type: ignore[attr-defined]
    assert client.meta.config.retries["total_max_attempts"] == 1


def test_the_stage_is_that_of_the_environment() -> None:
    assert wiring.stage() == "test"
