"""The private interfaces of MiniStack that the local stack extends."""

import subprocess
import sys

from tests.local.conftest import MiniStack


def test_ministack_has_the_private_interfaces_that_are_extended() -> None:
    code = (
        "from ministack import app; "
        "from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS as r; "
        "from ministack.services.s3 import _delete_bucket as d; "
        "from ministack.services import apigateway_v1 as g, eventbridge as e; "
        "h = r['AWS::CloudWatch::Alarm']; "
        "print(*sorted(k for k in ('create', 'update', 'delete') if callable(h[k])), "
        "h['update_with_logical_id'], "
        "callable(app._handle_post_body_shortcuts), callable(app._enforce_data_plane), callable(d), "
        "*map(callable, (g._build_lambda_event_v1, g._resolve_api_key, g._api_key_from_request)), "
        "e._parse_rate_seconds('rate(1 minute)'), e._SCHEDULER_TICK_INTERVAL, "
        "*[t for t in r if t.startswith(('AWS::SageMaker', 'AWS::ApplicationAutoScaling', 'Custom::'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "create delete update True True True True True True True 60 10"


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
