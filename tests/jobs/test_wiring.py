"""The services as the environment of a Lambda function configures them."""

import base64
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.credentials import RefreshableCredentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from urllib3 import HTTPResponse

from contract.environment import ApiEnvironment, ModelEndpoint, ReconcilerEnvironment
from contract.identifiers import S3Location
from contract.model import ModelDeclaration
from jobs import wiring
from jobs.errors import ModelNotFoundError

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
            "models_bucket_name": "models",
            "default_model": "demo",
            "signing_secret_arn": "secret",
            "retention_days": 5,
            "shared_jobs": False,
            "allowed_origins": ["https://images.example.com"],
            "model_aliases": {"gpt-image-1": "demo"},
        }
    )
    reconciler = ReconcilerEnvironment.model_validate({**_COMMON, "stage": "test"})
    for name, value in (api.variables() | reconciler.variables()).items():
        monkeypatch.setenv(name, value)
    cached = (
        wiring.session,
        wiring.job_service,
        wiring.adapters,
        wiring.completion_service,
        wiring.reconciler,
        wiring.signing_keys,
        wiring.allowed_origins,
        wiring.model_names,
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


HOSTS = {
    "us-east-1": "s3.us-east-1.amazonaws.com",
    "eu-central-1": "s3.eu-central-1.amazonaws.com",
    "eu-south-2": "s3.eu-south-2.amazonaws.com",
    "cn-north-1": "s3.cn-north-1.amazonaws.com.cn",
}


@pytest.mark.parametrize(("region", "host"), HOSTS.items())
def test_links_and_upload_forms_name_the_buckets_host_in_the_region(
    monkeypatch: pytest.MonkeyPatch, region: str, host: str
) -> None:
    """The signature covers the host, so that no redirect to another one can be followed."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    documents = wiring.job_service().documents
    link = httpx.URL(documents.presign("s3://data/outputs/J/0.png").url)
    assert (link.scheme, link.host, link.path) == ("https", f"data.{host}", "/outputs/J/0.png")
    assert link.params["X-Amz-SignedHeaders"] == "host"
    assert f"/{region}/s3/" in link.params["X-Amz-Credential"]
    form = documents.presign_upload(S3Location("data", "inputs/c/1.png"), "image/png", 100)
    assert form.url == f"https://data.{host}/"
    assert f"/{region}/s3/" in form.fields["x-amz-credential"]


@pytest.mark.parametrize(("region", "host"), HOSTS.items())
def test_requests_of_the_functions_go_to_the_buckets_host_in_the_region(
    monkeypatch: pytest.MonkeyPatch, region: str, host: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    documents = wiring.reconciler().completion.documents
    requested: list[str] = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        requested.append(str(request.url))
        return AWSResponse(str(request.url), 200, {}, HTTPResponse(io.BytesIO(), preload_content=False))

    documents._s3.meta.events.register_first("before-send.s3", answer)  # type: ignore[attr-defined]
    documents.mark_canceled("J")  # type: ignore[attr-defined]
    assert requested == [f"https://data.{host}/cancellations/J"]


def test_a_bucket_whose_name_has_dots_is_part_of_the_path() -> None:
    """The certificate of the region's host covers one label."""
    link = httpx.URL(wiring.job_service().documents.presign("s3://team.data/outputs/J/0.png").url)
    assert (link.host, link.path) == ("s3.us-east-1.amazonaws.com", "/team.data/outputs/J/0.png")


def refreshable(lifetimes: Iterator[timedelta]) -> RefreshableCredentials:
    """Credentials as Lambda's endpoint hands them out to functions with SnapStart."""

    def fetch() -> dict[str, str]:
        return {
            "access_key": "key",
            "secret_key": "secret",
            "token": "token",
            "expiry_time": (datetime.now(UTC) + next(lifetimes)).isoformat(),
        }

    return RefreshableCredentials.create_from_metadata(fetch(), refresh_using=fetch, method="container-role")


def use(monkeypatch: pytest.MonkeyPatch, credentials: RefreshableCredentials) -> None:
    monkeypatch.setattr(wiring.session(), "get_credentials", lambda: credentials)
    monkeypatch.setattr(wiring.session(), "_credentials", credentials)


def test_links_and_upload_forms_end_with_the_credentials_that_sign_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Botocore keeps credentials that live for another 20 minutes."""
    use(monkeypatch, refreshable(iter([timedelta(minutes=20)])))
    before = datetime.now(UTC)
    documents = wiring.job_service().documents
    link = documents.presign("s3://data/outputs/J/0.png")
    assert before + timedelta(minutes=19) < link.expires_at <= before + timedelta(minutes=20, seconds=1)
    assert 19 * 60 < int(httpx.URL(link.url).params["X-Amz-Expires"]) <= 20 * 60


@given(
    lifetime=st.integers(16 * 60, 100_000).map(lambda seconds: timedelta(seconds=seconds)),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_no_link_promises_more_than_its_own_expiry_and_its_credentials(
    monkeypatch: pytest.MonkeyPatch, lifetime: timedelta
) -> None:
    wiring.session.cache_clear()
    wiring.job_service.cache_clear()
    credentials = refreshable(iter([lifetime]))
    end = datetime.now(UTC) + lifetime
    use(monkeypatch, credentials)
    documents = wiring.job_service().documents
    link = documents.presign("s3://data/outputs/J/0.png")
    parameters = httpx.URL(link.url).params
    signed = datetime.strptime(parameters["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert link.expires_at <= min(end, signed + timedelta(seconds=int(parameters["X-Amz-Expires"])))
    form = documents.presign_upload(S3Location("data", "inputs/c/1.png"), "image/png", 100)
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    assert form.expires_at <= datetime.fromisoformat(policy["expiration"])
    assert form.expires_at <= end


def test_links_are_signed_with_new_credentials_if_the_old_ones_have_expired_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A function may be frozen for hours between two requests."""
    use(monkeypatch, refreshable(iter([timedelta(minutes=-5), timedelta(hours=6)])))
    before = datetime.now(UTC)
    link = wiring.job_service().documents.presign("s3://data/outputs/J/0.png")
    assert link.expires_at >= (before + timedelta(hours=1)).replace(microsecond=0)
    assert httpx.URL(link.url).params["X-Amz-Expires"] == "3600"


def test_each_service_is_built_once() -> None:
    for build in (wiring.job_service, wiring.completion_service, wiring.reconciler, wiring.signing_keys):
        assert build() is build()


def test_invocations_are_never_retried() -> None:
    """A retry after a lost answer would generate the images twice."""
    client = wiring.reconciler().invoker.invocations._runtime  # type: ignore[attr-defined]
    assert client.meta.config.retries["total_max_attempts"] == 1


def test_the_stage_is_that_of_the_environment() -> None:
    assert wiring.stage() == "test"


def test_the_further_names_of_models_are_those_of_the_environment() -> None:
    assert wiring.model_names().find("gpt-image-1").name == "demo"
    with pytest.raises(ModelNotFoundError):
        wiring.model_names().find("dall-e-3")


def test_the_allowed_origins_are_those_of_the_environment() -> None:
    assert wiring.allowed_origins() == ("https://images.example.com",)
