"""Jobs through the whole system: API Gateway, Lambda, DynamoDB, SageMaker, the container, S3, SNS and SQS."""

import asyncio
import base64
import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
from PIL import Image
from rich.console import Console

from contract.identifiers import new_job_id
from local import demo
from local.stack import LocalStack
from tests.conftest import ROOT
from tests.e2e.client import finish, resources, submit, wait_for_job
from tests.waiting import wait_until
from training.image_analysis import analyse


def is_running(job: Any) -> bool:
    return bool(job["status"] == "running")


def topic(stack: LocalStack, name: str) -> str:
    (arn,) = [arn for arn in resources(stack.aws, "AWS::SNS::Topic") if f"CompletionQueue{name}" in arn]
    return arn


def keys_under(stack: LocalStack, prefix: str) -> list[str]:
    pages = stack.aws.client("s3").get_paginator("list_objects_v2")
    return [
        each["Key"]
        for page in pages.paginate(Bucket=stack.address.data_bucket, Prefix=prefix)
        for each in page.get("Contents", [])
    ]


def completion_message(job: Any, status: str, **changes: Any) -> str:
    return json.dumps(
        {
            "invocationStatus": status,
            "eventTime": "2026-01-01T00:00:00.000Z",
            "inferenceId": f"{job['id']}-1",
            "responseParameters": {"outputLocation": job["output_location"]},
            **changes,
        }
    )


def test_the_demo_generates_the_same_images_every_time(stack: LocalStack, tmp_path: Path) -> None:
    for run in ("first", "second"):
        demo.run(stack, prompt=demo.DEFAULT_PROMPT, output=tmp_path / run, console=Console(quiet=True))
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    jobs = ("demo-model", "image-to-image", "text-to-image")
    assert names == [f"{job}-{i}.png" for job in jobs for i in (0, 1)]
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    images = {name: Image.open(tmp_path / "first" / name) for name in names}
    sizes = {name: image.size for name, image in images.items()}
    assert sizes == {name: (160, 104) if name.startswith("image") else (128, 128) for name in names}
    assert len({image.tobytes() for image in images.values()}) == 6
    found = analyse(images["demo-model-0.png"])
    assert (found.colour, found.shape, found.background) == ("yellow", "star", "blue")
    assert _difference_from_readme([images[f"demo-model-{index}.png"] for index in (0, 1)]) < 4


def _difference_from_readme(images: list[Image.Image]) -> float:
    """The mean difference, in levels of 256, from the images that the README shows side by side."""
    shown = Image.open(ROOT / "docs" / "demo.png")
    offset = shown.width - images[-1].width
    differences = [
        np.abs(
            np.asarray(image, float) - np.asarray(shown.crop((x, 0, x + image.width, shown.height)), float)
        )
        for x, image in zip((0, offset), images, strict=True)
    ]
    return float(np.mean(differences))


def test_the_images_are_at_the_uris_of_the_first_response(stack: LocalStack, http: httpx.Client) -> None:
    job = submit(http, count=2, steps=2)
    done = finish(http, job)
    assert done["status"] == "succeeded"
    assert [image["s3_uri"] for image in done["images"]] == job["output_s3_uris"]
    assert [image["seed"] for image in done["images"]] == job["seeds"]
    assert keys_under(stack, f"outputs/{job['id']}/") == [
        uri.removeprefix(f"s3://{stack.address.data_bucket}/") for uri in job["output_s3_uris"]
    ]
    result = stack.aws.client("s3").get_object(
        Bucket=stack.address.data_bucket, Key=job["output_location"].split("/", 3)[3]
    )
    assert json.loads(result["Body"].read())["id"] == job["id"]


def test_image_urls_need_no_credentials(http: httpx.Client) -> None:
    done = finish(http, submit(http, steps=1))
    response = httpx.get(done["images"][0]["url"])
    assert (response.status_code, response.headers["content-type"]) == (200, "image/png")


def test_a_running_job_shows_its_progress(http: httpx.Client) -> None:
    job = submit(http, steps=100, width=256, height=256)
    running = wait_for_job(http, job, lambda shown: shown["progress"] is not None, "shows its progress")
    assert (running["status"], running["phase"] in ("denoising", "uploading")) == ("running", True)
    assert 1 <= running["progress"]["step"] <= running["progress"]["total_steps"] == 100
    assert finish(http, job)["status"] == "succeeded"


def test_a_canceled_job_stops_and_another_one_succeeds(stack: LocalStack, http: httpx.Client) -> None:
    canceled, other = submit(http, count=4, steps=100, width=256, height=256), submit(http, steps=20)
    wait_for_job(http, canceled, is_running, "is running")
    response = http.post(canceled["links"]["cancel"])
    assert (response.status_code, response.json()["phase"]) == (202, "canceling")
    done = finish(http, canceled)
    assert (done["status"], done["images"], done["links"]["cancel"]) == ("canceled", [], None)
    assert keys_under(stack, f"outputs/{canceled['id']}/") == []
    assert finish(http, other)["status"] == "succeeded"
    again = http.post(canceled["links"]["cancel"])
    assert (again.status_code, again.json()["code"]) == (409, "already_terminal")


def test_an_input_image_can_be_a_data_url(stack: LocalStack, http: httpx.Client) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (128, 128), "green").save(buffer, format="PNG")
    url = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    done = finish(http, submit(http, input_image=url, steps=4))
    assert done["status"] == "succeeded"
    assert done["request"]["input_image"].endswith(f"/inputs/{done['id']}/input_image")


def test_several_jobs_at_once_succeed(http: httpx.Client) -> None:
    jobs = [submit(http, seed=seed, steps=3) for seed in range(6)]
    assert [finish(http, job)["images"][0]["seed"] for job in jobs] == list(range(6))


def test_a_failed_job_has_its_reason_and_publishes_to_the_error_topic(
    stack: LocalStack, http: httpx.Client
) -> None:
    sqs, sns = stack.aws.client("sqs"), stack.aws.client("sns")
    queue = sqs.create_queue(QueueName="listener")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(
        TopicArn=topic(stack, "Error"),
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"RawMessageDelivery": "true"},
    )
    missing = f"s3://{stack.address.data_bucket}/inputs/missing.png"
    failed = finish(http, submit(http, input_image=missing))
    assert (failed["status"], failed["images"]) == ("failed", [])
    assert failed["error"]["code"] == "input_fetch_failed"
    assert missing in failed["error"]["detail"]
    messages = wait_until(
        lambda: sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"),
        "the error topic has published a message",
    )
    message = json.loads(messages[0]["Body"])
    assert (message["inferenceId"], message["invocationStatus"]) == (f"{failed['id']}-1", "Failed")
    assert finish(http, submit(http, steps=1))["status"] == "succeeded"


def test_further_completion_messages_do_not_change_a_finished_job(
    stack: LocalStack, http: httpx.Client
) -> None:
    job = submit(http, steps=1)
    done = finish(http, job)
    after = submit(http, steps=1)
    sns = stack.aws.client("sns")
    sns.publish(TopicArn=topic(stack, "Success"), Message=completion_message(job, "Completed"))
    sns.publish(
        TopicArn=topic(stack, "Error"), Message=completion_message(job, "Failed", failureReason="late")
    )
    finish(http, after)
    wait_until(lambda: queues_are_empty(stack), "every completion message is processed", poll_s=0.1)
    without_urls = {"images": None}  # each response has newly signed URLs
    assert http.get(job["links"]["self"]).json() | without_urls == done | without_urls


def queues_are_empty(stack: LocalStack) -> bool:
    sqs = stack.aws.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    queues = [
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        for url in resources(stack.aws, "AWS::SQS::Queue")
    ]
    assert queues
    return all(int(count) == 0 for each in queues for count in each.values())


@pytest.mark.parametrize("key", [None, "wrong"])
def test_a_request_without_a_valid_key_is_refused(stack: LocalStack, key: str | None) -> None:
    headers = {} if key is None else {"x-api-key": key}
    for method, path in (("GET", "/v1/models"), ("POST", "/v1/jobs")):
        response = httpx.request(
            method, f"{stack.address.api_url}{path}", headers=headers, json={"prompt": "x"}
        )
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")
        assert response.headers["content-type"] == "application/problem+json"


def test_an_invalid_request_stores_no_record_and_no_object(stack: LocalStack, http: httpx.Client) -> None:
    (table,) = [name for name in resources(stack.aws, "AWS::DynamoDB::Table") if "Jobs" in name]

    def stored() -> tuple[int, int]:
        scanned = stack.aws.client("dynamodb").scan(TableName=table, Select="COUNT")
        return scanned["Count"], len(keys_under(stack, ""))

    before = stored()
    assert http.post("/v1/jobs", content="no json").status_code == 400
    for invalid in ({"prompt": ""}, {"steps": 5}, {"prompt": "x", "width": 12}, {"prompt": "x", "count": 99}):
        response = http.post("/v1/jobs", json=invalid)
        assert response.status_code == 422
        assert response.json()["errors"]
    assert http.get(f"/v1/jobs/{new_job_id()}").status_code == 404
    assert stored() == before


def test_the_endpoint_can_be_invoked_without_the_api(stack: LocalStack) -> None:
    s3, bucket = stack.aws.client("s3"), stack.address.data_bucket
    s3.put_object(Bucket=bucket, Key="requests/mine.json", Body=b'{"prompt": "a red circle", "steps": 1}')
    (arn,) = resources(stack.aws, "AWS::SageMaker::Endpoint")
    response = stack.aws.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=arn.rpartition("/")[2],
        InputLocation=f"s3://{bucket}/requests/mine.json",
        ContentType="application/json",
    )
    key = response["OutputLocation"].split("/", 3)[3]
    wait_until(lambda: key in keys_under(stack, "results/"), "the result is in S3")
    result = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert len(result["images"]) == 1


def test_an_update_of_the_endpoint_does_not_interrupt_jobs(stack: LocalStack, http: httpx.Client) -> None:
    running = submit(http, steps=100, width=256, height=256)
    waiting = submit(http, steps=1)
    cloudformation = stack.aws.client("cloudformation")
    name = {"StackName": "StableDiffusion-dev-Endpoint-demo"}
    template = cloudformation.get_template(**name)["TemplateBody"]
    (model,) = [each for each in template["Resources"].values() if each["Type"] == "AWS::SageMaker::Model"]
    model["Properties"]["PrimaryContainer"]["Environment"]["LOG_PROMPTS"] = "true"
    cloudformation.update_stack(
        **name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
    )
    cloudformation.get_waiter("stack_update_complete").wait(
        **name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 1200}
    )
    assert http.get(running["links"]["self"]).json()["status"] != "succeeded"
    later = submit(http, steps=1)
    assert [finish(http, job)["status"] for job in (running, waiting, later)] == ["succeeded"] * 3


def test_100_parallel_requests_are_queued(
    stack: LocalStack, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def get_all() -> list[httpx.Response]:
        async with httpx.AsyncClient(
            base_url=stack.address.api_url,
            headers={"x-api-key": stack.address.api_key},
            timeout=120,
            limits=httpx.Limits(max_connections=None),
        ) as http:
            return await asyncio.gather(*(http.get("/v1/models") for _ in range(100)))

    with ThreadPoolExecutor(1) as thread:  # this one has the event loop of the browser, after its tests
        responses = thread.submit(asyncio.run, get_all()).result()
    assert {response.status_code for response in responses} <= {200, 429}
    assert any(response.is_success for response in responses)
    refused = [response.json()["code"] for response in responses if not response.is_success]
    assert set(refused) <= {"too_many_requests"}
    assert "Traceback" not in capfd.readouterr().err + caplog.text


def test_every_open_port_is_bound_to_loopback(stack: LocalStack) -> None:
    family = psutil.Process(os.getpid()).children(recursive=True)
    assert len(family) >= 2
    listening = {
        connection.laddr
        for process in family
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening
    assert {address.ip for address in listening} == {"127.0.0.1"}
