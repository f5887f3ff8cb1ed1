"""The demo: submits jobs over HTTP, shows their progress and saves their images."""

import io
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local.client import JobsClient
from local.stack import LocalStack

DEFAULT_PROMPT = "a photo of an astronaut riding a horse on mars"
TRAINED_PROMPT = "a big yellow star on a blue background"
"""A prompt of the kind that the demo model was trained on."""


def run(stack: LocalStack, *, prompt: str, output: Path, console: Console) -> None:
    """Submits two text-to-image jobs and an image-to-image job and saves their images.

    Raises:
        JobFailedError: a job was refused, failed or timed out.
    """
    common = {"steps": 20, "sampler": "euler_a", "count": 2}
    jobs = {
        "text-to-image": common | {"prompt": prompt, "negative_prompt": "", "seed": 52362},
        "demo-model": common | {"prompt": TRAINED_PROMPT, "seed": 7},
        "image-to-image": common
        | {
            "prompt": "A fantasy landscape, trending on artstation",
            "seed": 43768,
            "input_image": _upload_sketch(stack),
        },
    }
    output.mkdir(parents=True, exist_ok=True)
    address = stack.address
    with (
        JobsClient(address.api_url, address.api_key, tls=stack.aws.ssl_context()) as client,
        _progress_bar(console) as progress,
    ):
        for name, request in jobs.items():
            job = client.submit(request)
            console.print(f"{name}: job {job['id']}: {request['prompt']!r}")
            job = _wait(client, job, name, progress)
            for index, image in enumerate(job["images"]):
                path = output / f"{name}-{index}.png"
                path.write_bytes(client.download(image))
                console.print(f"  {image['s3_uri']} -> {path}", soft_wrap=True)
    console.print(f"Look at the images in {output}. The page that generates more: make up", soft_wrap=True)


def _progress_bar(console: Console) -> Progress:
    return Progress(
        TextColumn("  {task.fields[status]:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def _wait(client: JobsClient, submitted: Any, name: str, progress: Progress) -> Any:
    """Polls the job until it has succeeded and shows its phase and step."""
    task = progress.add_task(name, status=submitted["status"], total=None)
    for job in client.poll(submitted):
        done = job["progress"] or {"step": 0, "total_steps": None}
        progress.update(
            task,
            status=job["phase"] or job["status"],
            completed=done["step"],
            total=done["total_steps"],
        )
    progress.remove_task(task)
    return job


def _upload_sketch(stack: LocalStack) -> str:
    """Uploads the input image of the image-to-image job; returns its S3 URI."""
    bucket, key = stack.address.data_bucket, "inputs/sketch.png"
    buffer = io.BytesIO()
    _sketch().save(buffer, format="PNG")
    stack.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=buffer.getvalue(), ContentType="image/png")
    return f"s3://{bucket}/{key}"


def _sketch() -> Image.Image:
    """A landscape of plain shapes."""
    image = Image.new("RGB", (192, 128), (135, 190, 235))
    draw = ImageDraw.Draw(image)
    draw.ellipse((140, 12, 172, 44), fill=(255, 220, 90))
    draw.polygon([(0, 96), (52, 30), (104, 96)], fill=(110, 110, 130))
    draw.polygon([(60, 96), (112, 48), (164, 96)], fill=(90, 95, 115))
    draw.rectangle((0, 92, 192, 128), fill=(70, 140, 70))
    return image
