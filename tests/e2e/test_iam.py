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

CONTAINER, API, COMPLETION, RECONCILER = "AsyncEndpointRole", "ApiHttpRole", "Completion", "Reconciler"


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
    for statement in reduced["Statement"]:
        if action not in as_list(statement["Action"]):
            continue
        if where is None:
            statement["Action"] = [each for each in as_list(statement["Action"]) if each != action]
        else:
            statement["Resource"] = [arn for arn in statement["Resource"] if not arn.endswith(where)]
    reduced["Statement"] = [each for each in reduced["Statement"] if each["Action"]]
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
    wait_for_job(http, job, lambda shown: shown["phase"] == "denoising", "is denoising")
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


def record(stack: LocalStack, job: Any) -> Any:
    """The job's record, which a GET of the job could change."""
    (table,) = [name for name in resources(stack.aws, "AWS::DynamoDB::Table") if "Jobs" in name]
    item = stack.aws.client("dynamodb").get_item(TableName=table, Key={"id": {"S": job["id"]}})["Item"]
    return {name: next(iter(value.values())) for name, value in item.items()}


def test_a_job_without_a_completion_message_is_finished_by_a_get(
    stack: LocalStack, http: httpx.Client
) -> None:
    with without(stack, CONTAINER, "sns:Publish"):
        unpublished = submit(http, steps=1)
        wait_until(lambda: exists(stack, unpublished["output_location"]), "the first result is in S3")
        later = submit(http, steps=1)
        wait_until(lambda: exists(stack, later["output_location"]), "the second result is in S3")
    assert finish(http, submit(http, steps=1))["status"] == "succeeded"
    assert record(stack, unpublished)["status"] in ("queued", "running")
    assert http.get(unpublished["links"]["self"]).json()["status"] == "succeeded"


def test_a_job_whose_container_was_killed_is_submitted_once_more(
    stack: LocalStack, http: httpx.Client
) -> None:
    job = submit(http, steps=100, count=4, width=256, height=256)
    wait_for_job(http, job, lambda shown: shown["status"] == "running", "is running")
    stack.kill_containers()
    wait_until(lambda: record(stack, job)["attempt"] == "2", "the reconciler has submitted the job again")
    finished = finish(http, job)
    assert (finished["status"], finished["attempt"]) == ("succeeded", 2)


def test_a_job_is_not_submitted_again_if_the_reconciler_lacks_the_permission(
    stack: LocalStack, http: httpx.Client
) -> None:
    with without(stack, RECONCILER, "sagemaker:InvokeEndpointAsync"):
        job = submit(http, steps=100, count=4, width=256, height=256)
        wait_for_job(http, job, lambda shown: shown["status"] == "running", "is running")
        stack.kill_containers()
        failed = finish(http, job)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "endpoint_unavailable")


def test_the_roles_suffice_for_uploads_lists_and_deletion(stack: LocalStack, http: httpx.Client) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (128, 128), "green").save(buffer, format="PNG")
    content = buffer.getvalue()
    upload = http.post("/v1/uploads", json={"content_type": "image/png", "size": len(content)}).json()
    posted = httpx.post(
        upload["url"],
        data=upload["fields"],
        files={"file": ("image.png", content, "image/png")},
        verify=stack.aws.ssl_context(),
    )
    assert posted.is_success
    job = finish(http, submit(http, steps=2, input_image=upload["s3_uri"], tags=["uploaded"]))
    assert job["status"] == "succeeded"
    tagged = http.patch(job["links"]["self"], json={"tags": ["uploaded", "favorite"]})
    assert (tagged.status_code, tagged.json()["tags"]) == (200, ["uploaded", "favorite"])
    listed = http.get(
        "/v1/jobs", params={"tag": "favorite", "text": "CIRCLE", "status": "succeeded", "limit": 1}
    ).json()
    assert [each["id"] for each in listed["data"]] == [job["id"]]
    assert http.delete(job["links"]["delete"]).status_code == 204
    assert not exists(stack, job["images"][0]["s3_uri"])
    assert http.get(job["links"]["self"]).status_code == 404
    assert http.get("/v1/jobs", params={"tag": "uploaded"}).json()["data"] == []


def test_a_repeated_request_with_the_same_key_returns_the_same_job(http: httpx.Client) -> None:
    headers = {"Idempotency-Key": "key-1"}
    body = {"prompt": "a red circle", "steps": 1}
    first, second = (http.post("/v1/jobs", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    other = http.post("/v1/jobs", json={**body, "steps": 2}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_the_roles_suffice_to_list_adapters_and_without_a_permission_they_are_unavailable(
    stack: LocalStack, http: httpx.Client
) -> None:
    with without(stack, API, "s3:ListBucket"):
        refused = http.get("/v1/adapters", params={"kind": "controlnet"})
    assert (refused.status_code, refused.json()["code"]) == (503, "adapters_unavailable")
    listed = http.get("/v1/adapters", params={"kind": "lora"}).json()["data"]
    assert ("lora", "moon") in [(each["kind"], each["name"]) for each in listed]


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
    image = "data:image/png;base64,iVBORw0KGgo="
    with without(stack, API, action):
        response = http.post("/v1/jobs", json={"prompt": "a red circle", "steps": 2, "input_image": image})
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
        (RECONCILER, "dynamodb", "scan", {"TableName": table}),
        (RECONCILER, "s3", "put_object", {"Bucket": bucket, "Key": "outputs/forged.png"}),
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
