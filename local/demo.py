"""The main job, as a client sees it: jobs over HTTP, followed until their images are there."""

import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageDraw
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local.stack import Address, LocalStack

DEFAULT_PROMPT = "a photo of an astronaut riding a horse on mars"
KNOWN_PROMPT = "a big yellow star on a blue background"
"""What the demo model was trained for."""

_POLL_S = 0.2
_TIMEOUT_S = 600
_TERMINAL = {"succeeded", "failed", "canceled"}


class JobFailedError(RuntimeError):
    """A job did not succeed."""


def run(stack: LocalStack, *, prompt: str, output: Path, console: Console) -> None:
    """Submits two text-to-image jobs and an image-to-image job and saves what they draw.

    Raises:
        JobFailedError: a job was refused, failed, or took too long.
    """
    common = {"steps": 20, "sampler": "euler_a", "count": 2}
    jobs = {
        "text-to-image": common | {"prompt": prompt, "negative_prompt": "", "seed": 52362},
        "demo-model": common | {"prompt": KNOWN_PROMPT, "seed": 7},
        "image-to-image": common
        | {
            "prompt": "A fantasy landscape, trending on artstation",
            "seed": 43768,
            "input_image": _upload_sketch(stack),
        },
    }
    output.mkdir(parents=True, exist_ok=True)
    trust = stack.aws.ssl_context()
    with _client(stack.address) as http, _progress(console) as progress:
        for name, request in jobs.items():
            job = _submit(http, request)
            console.print(f"{name}: job {job['id']}: {request['prompt']!r}")
            job = _follow(http, job, name, progress)
            for index, image in enumerate(job["images"]):
                path = output / f"{name}-{index}.png"
                path.write_bytes(httpx.get(image["url"], verify=trust).raise_for_status().content)
                console.print(f"  {image['s3_uri']} -> {path}", soft_wrap=True)


def _client(address: Address) -> httpx.Client:
    return httpx.Client(base_url=address.api_url, headers={"x-api-key": address.api_key}, timeout=60)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("  {task.fields[status]:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def _submit(http: httpx.Client, request: Mapping[str, Any]) -> Any:
    answer = http.post("/v1/jobs", json=request)
    if not answer.is_success:
        raise JobFailedError(f"the job was refused: {answer.text}")
    return answer.json()


def _follow(http: httpx.Client, job: Any, name: str, progress: Progress) -> Any:
    """Shows what the API says of the job until it has ended."""
    task = progress.add_task(name, status=job["status"], total=None)
    deadline = time.monotonic() + _TIMEOUT_S
    while job["status"] not in _TERMINAL:
        if time.monotonic() > deadline:
            raise JobFailedError(f"job {job['id']} had not ended after {_TIMEOUT_S} s")
        time.sleep(_POLL_S)
        job = http.get(job["links"]["self"]).raise_for_status().json()
        done = job["progress"] or {"step": 0, "total_steps": None}
        progress.update(
            task,
            status=job["phase"] or job["status"],
            completed=done["step"],
            total=done["total_steps"],
        )
    progress.remove_task(task)
    if job["status"] == "canceled":
        raise JobFailedError(f"job {job['id']} was canceled")
    if job["status"] == "failed":
        error = job["error"]
        raise JobFailedError(f"job {job['id']} failed: {error['code']}: {error['detail']}")
    return job


def _upload_sketch(stack: LocalStack) -> str:
    """Puts a sketched landscape in S3 for image to image to start from."""
    bucket, key = stack.address.data_bucket, "inputs/sketch.png"
    buffer = io.BytesIO()
    _sketch().save(buffer, format="PNG")
    stack.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=buffer.getvalue(), ContentType="image/png")
    return f"s3://{bucket}/{key}"


def _sketch() -> Image.Image:
    image = Image.new("RGB", (192, 128), (135, 190, 235))
    draw = ImageDraw.Draw(image)
    draw.ellipse((140, 12, 172, 44), fill=(255, 220, 90))
    draw.polygon([(0, 96), (52, 30), (104, 96)], fill=(110, 110, 130))
    draw.polygon([(60, 96), (112, 48), (164, 96)], fill=(90, 95, 115))
    draw.rectangle((0, 92, 192, 128), fill=(70, 140, 70))
    return image
