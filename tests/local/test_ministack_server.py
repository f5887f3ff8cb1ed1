"""The private interfaces of MiniStack that the local stack extends."""

import subprocess
import sys

import httpx
import pytest

from tests.local.conftest import MiniStack


def test_ministack_has_the_private_interfaces_that_are_extended() -> None:
    code = (
        "from ministack import app; "
        "from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS as r; "
        "from ministack.services import apigateway_v1 as g, eventbridge as e, s3; "
        "h = r['AWS::CloudWatch::Alarm']; "
        "print(*sorted(k for k in ('create', 'update', 'delete') if callable(h[k])), "
        "h['update_with_logical_id'], "
        "*map(callable, (app._handle_post_body_shortcuts, app._enforce_data_plane, app._s3_cors_target)), "
        "*map(callable, (app._handle_options_request, app._dispatch_service_request)), "
        "*map(callable, (s3._delete_bucket, s3.cors_preflight, s3.cors_response_headers)), "
        "*map(callable, (g._build_lambda_event_v1, g._resolve_api_key, g._api_key_from_request)), "
        "e._parse_rate_seconds('rate(1 minute)'), e._SCHEDULER_TICK_INTERVAL, "
        "*[t for t in r if t.startswith(('AWS::SageMaker', 'AWS::ApplicationAutoScaling', 'Custom::'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "create delete update True True True True True True True True True True True True 60 10"
    )


def test_an_invocation_is_forwarded_and_its_response_returned(ministack: MiniStack) -> None:
    response = ministack.aws.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName="mine", InputLocation="s3://bucket/key", RequestTTLSeconds=60
    )
    assert (response["InferenceId"], response["OutputLocation"]) == ("mine", "s3://bucket/results/1.out")
    ((method, name, headers),) = ministack.requests
    assert (method, name) == ("POST", "mine")
    forwarded = {name: value for name, value in headers.items() if name.startswith("x-amzn-sagemaker")}
    assert forwarded == {
        "x-amzn-sagemaker-inputlocation": "s3://bucket/key",
        "x-amzn-sagemaker-requestttlseconds": "60",
    }


def allowed_origin(ministack: MiniStack, path: str, *, method: str, origin: str) -> str | None:
    """The page that may read the response of the bucket, with a preflight's headers."""
    headers = {"origin": origin, "access-control-request-method": "PUT"}
    response = httpx.request(method, f"{ministack.aws.url}{path}", headers=headers)
    return response.headers.get("access-control-allow-origin")


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_browsers_are_answered_by_the_rules_of_the_bucket(ministack: MiniStack, method: str) -> None:
    s3 = ministack.aws.client("s3")
    s3.create_bucket(Bucket="shared")
    s3.create_bucket(Bucket="private")
    for bucket in ("shared", "private"):
        s3.put_object(Bucket=bucket, Key="key", Body=b"")
    rule = {"AllowedOrigins": ["https://*.example"], "AllowedMethods": ["GET", "PUT"]}
    s3.put_bucket_cors(Bucket="shared", CORSConfiguration={"CORSRules": [rule]})
    page = "https://page.example"
    assert allowed_origin(ministack, "/shared/key", method=method, origin=page) == page
    assert allowed_origin(ministack, "/shared/key", method=method, origin="https://other.test") is None
    assert allowed_origin(ministack, "/private/key", method=method, origin=page) is None
