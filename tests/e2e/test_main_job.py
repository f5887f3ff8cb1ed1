"""The whole path: HTTP, API Gateway, Lambda, the record, the endpoint, the container, S3, SNS and back."""

import base64
import io
import json
import os
import time
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
from tests.e2e.client import finish, resources, submit, wait_until
from training.image_analysis import analyse


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


def notice(job: Any, status: str, **changes: Any) -> str:
    return json.dumps(
        {
            "invocationStatus": status,
            "eventTime": "2026-01-01T00:00:00.000Z",
            "inferenceId": job["id"],
            "responseParameters": {"outputLocation": job["output_location"]},
            **changes,
        }
    )


def test_the_demo_draws_its_pictures_and_the_same_ones_again(stack: LocalStack, tmp_path: Path) -> None:
    for run in ("first", "second"):
        demo.run(stack, prompt=demo.DEFAULT_PROMPT, output=tmp_path / run, console=Console(quiet=True))
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    jobs = ("demo-model", "image-to-image", "text-to-image")
    assert names == [f"{job}-{i}.png" for job in jobs for i in (0, 1)]
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    pictures = {name: Image.open(tmp_path / "first" / name) for name in names}
    sizes = {name: picture.size for name, picture in pictures.items()}
    assert sizes == {name: (160, 104) if name.startswith("image") else (128, 128) for name in names}
    assert len({picture.tobytes() for picture in pictures.values()}) == 6
    found = analyse(pictures["demo-model-0.png"])
    assert (found.colour, found.shape, found.background) == ("yellow", "star", "blue")
    assert _difference_from_readme([pictures[f"demo-model-{index}.png"] for index in (0, 1)]) < 4


def _difference_from_readme(pictures: list[Image.Image]) -> float:
    """The mean difference, in levels of 256, from the pictures that the README shows side by side."""
    shown = Image.open(ROOT / "docs" / "demo.png")
    offset = shown.width - pictures[-1].width
    differences = [
        np.abs(
            np.asarray(picture, float)
            - np.asarray(shown.crop((x, 0, x + picture.width, shown.height)), float)
        )
        for x, picture in zip((0, offset), pictures, strict=True)
    ]
    return float(np.mean(differences))


def test_the_uris_of_the_first_answer_are_where_the_images_are(stack: LocalStack, http: httpx.Client) -> None:
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


def test_links_open_without_credentials(http: httpx.Client) -> None:
    done = finish(http, submit(http, steps=1))
    answer = httpx.get(done["images"][0]["url"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")


def test_a_job_shows_its_progress_while_it_is_drawn(http: httpx.Client) -> None:
    job = submit(http, steps=100, width=256, height=256)
    running = wait_until(
        lambda: (shown := http.get(job["links"]["self"]).json())["status"] == "running" and shown,
        "the job is running",
    )
    assert running["phase"] in ("denoising", "uploading")
    assert 1 <= running["progress"]["step"] <= running["progress"]["total_steps"] == 100
    assert finish(http, job)["status"] == "succeeded"


def test_a_canceled_job_stops_and_the_one_beside_it_is_drawn(stack: LocalStack, http: httpx.Client) -> None:
    canceled, other = submit(http, count=4, steps=100, width=256, height=256), submit(http, steps=20)
    wait_until(
        lambda: http.get(canceled["links"]["self"]).json()["status"] == "running", "the job is running"
    )
    answer = http.post(canceled["links"]["cancel"])
    assert (answer.status_code, answer.json()["phase"]) == (202, "canceling")
    done = finish(http, canceled)
    assert (done["status"], done["images"], done["links"]["cancel"]) == ("canceled", [], None)
    assert keys_under(stack, f"outputs/{canceled['id']}/") == []
    assert finish(http, other)["status"] == "succeeded"
    again = http.post(canceled["links"]["cancel"])
    assert (again.status_code, again.json()["code"]) == (409, "already_terminal")


def test_a_picture_may_come_along_with_the_request(stack: LocalStack, http: httpx.Client) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (128, 128), "green").save(buffer, format="PNG")
    url = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    done = finish(http, submit(http, input_image=url, steps=4))
    assert done["status"] == "succeeded"
    assert done["request"]["input_image"].endswith(f"/inputs/{done['id']}/input_image")


def test_jobs_at_once_are_all_drawn(http: httpx.Client) -> None:
    jobs = [submit(http, seed=seed, steps=3) for seed in range(6)]
    assert [finish(http, job)["images"][0]["seed"] for job in jobs] == list(range(6))


def test_a_failing_job_says_why_fires_the_error_topic_and_leaves_the_next_alone(
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
        "the error topic fires",
    )
    told = json.loads(messages[0]["Body"])
    assert (told["inferenceId"], told["invocationStatus"]) == (failed["id"], "Failed")
    assert finish(http, submit(http, steps=1))["status"] == "succeeded"


def test_later_notices_of_a_job_change_nothing(stack: LocalStack, http: httpx.Client) -> None:
    job = submit(http, steps=1)
    done = finish(http, job)
    after = submit(http, steps=1)
    sns = stack.aws.client("sns")
    sns.publish(TopicArn=topic(stack, "Success"), Message=notice(job, "Completed"))
    sns.publish(TopicArn=topic(stack, "Error"), Message=notice(job, "Failed", failureReason="late"))
    finish(http, after)
    sqs = stack.aws.client("sqs")
    pending = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def handled() -> bool:
        queues = resources(stack.aws, "AWS::SQS::Queue")
        counts = [sqs.get_queue_attributes(QueueUrl=q, AttributeNames=pending)["Attributes"] for q in queues]
        return len(counts) == 2 and all(int(count) == 0 for each in counts for count in each.values())

    wait_until(handled, "every notice is handled, and none is dead")
    unsigned = {"images": None}
    assert http.get(job["links"]["self"]).json() | unsigned == done | unsigned


@pytest.mark.parametrize("key", [None, "wrong"])
def test_without_the_key_nothing_is_answered(stack: LocalStack, key: str | None) -> None:
    headers = {} if key is None else {"x-api-key": key}
    for method, path in (("GET", "/v1/models"), ("POST", "/v1/jobs")):
        answer = httpx.request(
            method, f"{stack.address.api_url}{path}", headers=headers, json={"prompt": "x"}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_wrong_request_leaves_no_record_and_no_object(stack: LocalStack, http: httpx.Client) -> None:
    (table,) = resources(stack.aws, "AWS::DynamoDB::Table")

    def traces() -> tuple[int, int]:
        scanned = stack.aws.client("dynamodb").scan(TableName=table, Select="COUNT")
        return scanned["Count"], len(keys_under(stack, ""))

    wait_until(lambda: (seen := traces()) and time.sleep(0.5) is None and seen == traces(), "all is quiet")
    before = traces()
    assert http.post("/v1/jobs", content="no json").status_code == 400
    for wrong in ({"prompt": ""}, {"steps": 5}, {"prompt": "x", "width": 12}, {"prompt": "x", "count": 99}):
        answer = http.post("/v1/jobs", json=wrong)
        assert answer.status_code == 422
        assert answer.json()["errors"]
    assert http.get(f"/v1/jobs/{new_job_id()}").status_code == 404
    assert traces() == before


def test_an_endpoint_can_be_invoked_directly_too(stack: LocalStack) -> None:
    """As those do who leave the API out: a request with nothing but a prompt."""
    s3, bucket = stack.aws.client("s3"), stack.address.data_bucket
    s3.put_object(Bucket=bucket, Key="requests/mine.json", Body=b'{"prompt": "a red circle", "steps": 1}')
    (arn,) = resources(stack.aws, "AWS::SageMaker::Endpoint")
    answer = stack.aws.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=arn.rpartition("/")[2],
        InputLocation=f"s3://{bucket}/requests/mine.json",
        ContentType="application/json",
    )
    key = answer["OutputLocation"].split("/", 3)[3]
    wait_until(lambda: key in keys_under(stack, "results/"), "the output is there")
    result = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert len(result["images"]) == 1


def test_an_update_of_the_endpoint_interrupts_no_job(stack: LocalStack, http: httpx.Client) -> None:
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
    quickly = {"Delay": 0.1, "MaxAttempts": 100}
    cloudformation.get_waiter("stack_update_complete").wait(**name, WaiterConfig=quickly)
    assert http.get(running["links"]["self"]).json()["status"] != "succeeded"
    later = submit(http, steps=1)
    assert [finish(http, job)["status"] for job in (running, waiting, later)] == ["succeeded"] * 3


def test_nothing_listens_beyond_loopback(stack: LocalStack) -> None:
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
