"""A container that generates images of one colour, as many seconds late as the prompt says: `31 seconds`.

It stands for an instance that is busy or being started: clients that wait for their images wait for it.
"""

import hashlib
import io
import json
import os
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from PIL import Image

from contract.environment import ContainerEnvironment
from contract.generation import Generation
from contract.identifiers import S3Location
from contract.keys import output_key
from contract.result import GenerationResult, ImageResult

ENVIRONMENT = ContainerEnvironment.read(os.environ)
S3 = boto3.client("s3")


def generated(generation: Generation) -> GenerationResult:
    """The result of a request, once its images are stored."""
    late = re.search(r"(\d+) seconds", generation.prompt)
    seconds = int(late[1]) if late else 0
    time.sleep(seconds)
    return GenerationResult(
        images=tuple(_stored(generation, index, seed) for index, seed in enumerate(generation.seeds)),
        durations_s={"total": seconds},
        versions={},
        **generation.model_dump(include={"id", "model", "sampler", "steps", "guidance_scale", "strength"}),
    )


def _stored(generation: Generation, index: int, seed: int) -> ImageResult:
    width, height = generation.width or 64, generation.height or 64
    file = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(file, "PNG")
    location = S3Location(ENVIRONMENT.data_bucket_name, output_key(generation.id, index, "png"))
    S3.put_object(Bucket=location.bucket, Key=location.key, Body=file.getvalue(), ContentType="image/png")
    sha256 = hashlib.sha256(file.getvalue()).hexdigest()
    return ImageResult(s3_uri=location.uri, seed=seed, width=width, height=height, sha256=sha256)


class Handler(BaseHTTPRequestHandler):
    """The container protocol."""

    def do_GET(self) -> None:
        self._respond(b"")

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        del request["attempt"]
        self._respond(generated(Generation.model_validate(request)).model_dump_json().encode())

    def log_message(self, *arguments: Any) -> None:
        pass

    def _respond(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    address = ("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
    ThreadingHTTPServer(address, Handler).serve_forever()
