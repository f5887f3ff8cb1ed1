"""The templates' roles, enforced: everything works with their permissions, and fails without one of them.

MiniStack checks every signed call of the functions, of the container and of the SageMaker emulator, which
uses the model's execution role, against the role's policies, and SNS's access to the queue against the queue
policy. Not checked is what is no API call in the local stack: the pull of the image, logs and traces, the
polling of the queue with the completion function's role, API Gateway's permission to invoke the HTTP
function, and iam:PassRole. Trust policies are not checked either. The stacks are deployed by the root user.
"""

import base64
import copy
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from PIL import Image
from rich.console import Console

from local import demo
from local.aws import Credentials
from local.stack import LocalStack
from tests.e2e.client import finish, resources, submit, wait_for_job
from tests.waiting import wait_until

CONTAINER, API, COMPLETION = "AsyncEndpointRole", "ApiHttpRole", "Completion"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    stack = LocalStack.start(
        port=0, directory=tmp_path_factory.mktemp("local"), report=print, enforce_iam=True
    )
    yield stack
    stack.stop()


def role_named(stack: LocalStack, part: str) -> str:
    (name,) = [name for name in resources(stack.aws, "AWS::IAM::Role") if part in name]
    return name


@contextmanager
def without(stack: LocalStack, role: str, action: str, where: str | None = None) -> Iterator[None]:
    """Temporarily removes an action from a role's policy; with `where`, for resources with that suffix."""
    iam = stack.aws.client("iam")
    name = role_named(stack, role)
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    original = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    reduced = copy.deepcopy(original)
    (statement,) = [each for each in reduced["Statement"] if action in as_list(each["Action"])]
    if where is None:
        statement["Action"] = [each for each in as_list(statement["Action"]) if each != action]
        reduced["Statement"] = [each for each in reduced["Statement"] if each["Action"]]
    else:
        statement["Resource"] = [arn for arn in statement["Resource"] if not arn.endswith(where)]
    assert reduced != original
    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(reduced))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(original))


def as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def exists(stack: LocalStack, uri: str) -> bool:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    listed = stack.aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=key)
    return bool(listed["KeyCount"])


def test_the_roles_suffice_for_text_to_image_and_image_to_image(stack: LocalStack, tmp_path: Path) -> None:
    demo.run(stack, prompt=demo.DEFAULT_PROMPT, output=tmp_path, console=Console(quiet=True))
    assert len(list(tmp_path.iterdir())) == 6


def test_the_roles_suffice_to_cancel_a_job_with_an_inline_image(
    stack: LocalStack, http: httpx.Client
) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (256, 256), "green").save(buffer, format="PNG")
    url = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    job = submit(http, count=4, steps=100, strength=1.0, input_image=url, width=256, height=256)
    running = wait_for_job(http, job, lambda shown: shown["status"] != "queued", "has started")
    assert running["phase"] == "denoising"
    assert http.post(job["links"]["cancel"]).status_code == 202
    assert finish(http, job)["status"] == "canceled"


@pytest.mark.parametrize(
    ("action", "where", "code"),
    [("s3:PutObject", "/outputs/*", "internal"), ("s3:GetObject", "/inputs/*", "input_fetch_failed")],
)
def test_a_job_fails_if_the_container_lacks_a_permission(
    stack: LocalStack, http: httpx.Client, action: str, where: str, code: str
) -> None:
    image = {"input_image": f"s3://{stack.address.data_bucket}/inputs/sketch.png"}
    with without(stack, CONTAINER, action, where):
        failed = finish(http, submit(http, steps=2, **image))
    assert (failed["status"], failed["error"]["code"]) == ("failed", code)
    assert finish(http, submit(http, steps=2, **image))["status"] == "succeeded"


def test_a_job_stays_unfinished_without_the_permission_to_publish_its_completion(
    stack: LocalStack, http: httpx.Client
) -> None:
    with without(stack, CONTAINER, "sns:Publish"):
        unpublished = submit(http, steps=1)
        wait_until(lambda: exists(stack, unpublished["output_location"]), "the first result is in S3")
        later = submit(http, steps=1)
        wait_until(lambda: exists(stack, later["output_location"]), "the second result is in S3")
    assert finish(http, submit(http, steps=1))["status"] == "succeeded"
    assert http.get(unpublished["links"]["self"]).json()["status"] in ("queued", "running")


@pytest.mark.parametrize(
    ("action", "status", "code"),
    [
        ("dynamodb:PutItem", 500, "internal"),
        ("s3:PutObject", 503, "endpoint_unavailable"),
        ("sagemaker:InvokeEndpointAsync", 503, "endpoint_unavailable"),
    ],
)
def test_the_api_refuses_jobs_if_it_lacks_a_permission(
    stack: LocalStack, http: httpx.Client, action: str, status: int, code: str
) -> None:
    with without(stack, API, action):
        response = http.post("/v1/jobs", json={"prompt": "a red circle", "steps": 1})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert finish(http, submit(http, steps=1))["status"] == "succeeded"


def first(stack: LocalStack, resource_type: str) -> str:
    return resources(stack.aws, resource_type)[0].rpartition("/")[2]


def test_a_role_is_denied_other_actions(stack: LocalStack) -> None:
    table, endpoint = first(stack, "AWS::DynamoDB::Table"), first(stack, "AWS::SageMaker::Endpoint")
    bucket = stack.address.data_bucket
    request = {"EndpointName": endpoint, "InputLocation": f"s3://{bucket}/inputs/sketch.png"}
    for part, service, operation, arguments in (
        (CONTAINER, "dynamodb", "scan", {"TableName": table}),
        (CONTAINER, "sagemaker-runtime", "invoke_endpoint_async", request),
        (API, "sns", "publish", {"TopicArn": first(stack, "AWS::SNS::Topic"), "Message": "{}"}),
        (API, "s3", "put_object", {"Bucket": bucket, "Key": "outputs/forged.png"}),
        (COMPLETION, "dynamodb", "scan", {"TableName": table}),
        (COMPLETION, "sagemaker-runtime", "invoke_endpoint_async", request),
    ):
        arn = stack.aws.client("iam").get_role(RoleName=role_named(stack, part))["Role"]["Arn"]
        client = stack.aws.assume_role(arn, "test").client(service)
        with pytest.raises(ClientError) as refused:
            getattr(client, operation)(**arguments)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
        assert "not authorized to perform" in refused.value.response["Error"]["Message"]


def test_a_wrong_signature_is_refused(stack: LocalStack) -> None:
    arn = stack.aws.client("iam").get_role(RoleName=role_named(stack, API))["Role"]["Arn"]
    session = stack.aws.assume_role(arn, "test")
    own = session.credentials
    forged = replace(session, credentials=Credentials(own.key_id, "wrong", own.token))
    with pytest.raises(ClientError, match="signature"):
        forged.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName=first(stack, "AWS::SageMaker::Endpoint"), InputLocation="s3://bucket/key"
        )
