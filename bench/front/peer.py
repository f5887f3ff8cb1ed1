"""Another front, in the shape of this project's predecessors: FastAPI, pydantic and boto3 in one function.

Its submission stores the request in S3, invokes the endpoint and stores a record in DynamoDB; its status read
reads the record.
"""

import json
import os
import uuid
from datetime import UTC, datetime
from typing import Any

import boto3
from fastapi import FastAPI, HTTPException
from mangum import Mangum
from pydantic import BaseModel, Field

_BUCKET = os.environ["DATA_BUCKET_NAME"]
_ENDPOINT = os.environ["ENDPOINT_NAME"]

app = FastAPI()
_table: Any = boto3.resource("dynamodb").Table(os.environ["JOBS_TABLE_NAME"])
_s3: Any = boto3.client("s3")
_runtime: Any = boto3.client("sagemaker-runtime")


class ImageRequest(BaseModel):
    """A request for images."""

    prompt: str = Field(min_length=1, max_length=4000)
    negative_prompt: str = ""
    width: int = Field(default=512, ge=64, le=1024, multiple_of=8)
    height: int = Field(default=512, ge=64, le=1024, multiple_of=8)
    steps: int = Field(default=30, ge=1, le=150)
    guidance_scale: float = Field(default=7.5, ge=0, le=50)
    sampler: str = "euler_a"
    seed: int | None = Field(default=None, ge=0)
    count: int = Field(default=1, ge=1, le=4)
    input_image: str | None = None


class Submitted(BaseModel):
    """An accepted request."""

    id: str
    output_location: str


class Task(BaseModel):
    """The state of a request."""

    id: str
    status: str
    created_at: str
    output_location: str
    request: dict[str, Any]
    images: list[str]


@app.post("/v1/jobs", status_code=202)
def submit(request: ImageRequest) -> Submitted:
    """Stores the request, invokes the endpoint and stores the record."""
    task_id = uuid.uuid4().hex
    key = f"requests/{task_id}.json"
    _s3.put_object(Bucket=_BUCKET, Key=key, Body=request.model_dump_json().encode())
    response = _runtime.invoke_endpoint_async(
        EndpointName=_ENDPOINT,
        InputLocation=f"s3://{_BUCKET}/{key}",
        InferenceId=task_id,
        ContentType="application/json",
    )
    _table.put_item(
        Item={
            "id": task_id,
            "status": "pending",
            "created_at": datetime.now(UTC).isoformat(),
            "output_location": response["OutputLocation"],
            "request": request.model_dump_json(),
        }
    )
    return Submitted(id=task_id, output_location=response["OutputLocation"])


@app.get("/v1/jobs/{task_id}")
def read(task_id: str) -> Task:
    """Reads the record."""
    item = _table.get_item(Key={"id": task_id}).get("Item")
    if item is None:
        raise HTTPException(404)
    return Task(
        id=task_id,
        status=item["status"],
        created_at=item["created_at"],
        output_location=item["output_location"],
        request=json.loads(item["request"]),
        images=[],
    )


handler = Mangum(app, lifespan="off")
