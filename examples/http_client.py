"""Generates images through the HTTP API: submits a job, follows it and downloads its images.

python examples/http_client.py "a red circle" --fields '{"count": 2, "seed": 7}'

Requires urllib3, which boto3 installs, beside the standard library.
"""

import argparse
import base64
import hashlib
import json
import mimetypes
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import urllib3

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 20.0
_PROBLEM_TYPES = ("application/problem+json", "application/json")
"""The content types of problem documents; the second one is that of a firewall's answers."""

_NOT_ACCEPTED = {429, 503}
"""Status codes of jobs that were not accepted. They can be sent again without generating images twice."""


class JobError(Exception):
    """A job was rejected, failed or timed out."""


class JobsApi:
    """A client of the jobs API.

    Args:
        url: the stack output ApiUrl, to which the paths of the API are appended.
        key: the API key.
        timeout_s: the time for all requests together, in seconds.
    """

    def __init__(self, url: str, key: str, *, timeout_s: float) -> None:
        self._url = url
        self._headers = {"x-api-key": key}
        self._deadline = time.monotonic() + timeout_s
        # Retries lost connections; not those of a POST, which may have arrived.
        retry = urllib3.Retry(total=5, redirect=False, backoff_factor=0.5, respect_retry_after_header=False)
        self._http = urllib3.PoolManager(retries=retry, timeout=60.0)

    def generate(self, request: Mapping[str, Any]) -> Iterator[Any]:
        """Submits a job and yields its state repeatedly until it has succeeded.

        Raises:
            JobError: the job was rejected, failed, expired, was canceled or timed out.
        """
        response = self._request("POST", "/v1/jobs", request)
        pause_s = _FIRST_PAUSE_S
        while True:
            job = response.json()
            yield job
            if job["status"] == "succeeded":
                return
            if job["status"] in ("failed", "expired"):
                raise JobError(_describe(job["error"]))
            if job["status"] == "canceled":
                raise JobError(f"job {job['id']} was canceled")
            if not self._wait(response, pause_s):
                raise JobError(f"timed out; job {job['id']} is still running and can be followed")
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
            response = self._request("GET", job["links"]["self"])

    def download(self, image: Mapping[str, Any], path: Path) -> None:
        """Saves an image of a job that has succeeded.

        Raises:
            JobError: the downloaded file has another checksum.
        """
        response = self._http.request("GET", image["url"])  # the link needs no key
        if hashlib.sha256(response.data).hexdigest() != image["sha256"]:
            raise JobError(f"{image['s3_uri']}: the download is damaged (HTTP {response.status})")
        path.write_bytes(response.data)

    def _request(self, method: str, path: str, body: Any = None) -> urllib3.BaseHTTPResponse:
        pause_s = _FIRST_PAUSE_S
        while True:
            response = self._http.request(method, f"{self._url}{path}", json=body, headers=self._headers)
            if response.status < 300:
                return response
            problem = _problem(response)
            again = problem["retryable"] and (method == "GET" or response.status in _NOT_ACCEPTED)
            if not again or not self._wait(response, pause_s):
                raise JobError(_describe(problem))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _wait(self, response: urllib3.BaseHTTPResponse, pause_s: float) -> bool:
        """Sleeps for `pause_s`, or for Retry-After if that is longer. Returns False if time is short."""
        pause_s = max(pause_s, urllib3.Retry().get_retry_after(response) or 0)
        if time.monotonic() + pause_s > self._deadline:
            return False
        time.sleep(pause_s)
        return True


def _problem(response: urllib3.BaseHTTPResponse) -> Any:
    """The response's problem document (RFC 9457); a substitute if the response is not from the API."""
    if response.headers.get("Content-Type", "").startswith(_PROBLEM_TYPES):
        document = response.json()
        if isinstance(document, dict) and "retryable" in document:
            return document
    text = response.data.decode(errors="replace")
    return {
        "title": f"HTTP {response.status}",
        "detail": text,
        "code": "no problem document",
        "retryable": False,
    }


def _describe(problem: Mapping[str, Any]) -> str:
    return f"{problem['title']}: {problem['detail']} ({problem['code']})"


def _generate_and_save(api: JobsApi, request: Mapping[str, Any], directory: Path) -> None:
    for job in api.generate(request):
        print(f"{job['id']}: {job['phase'] or job['status']}")
    directory.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(job["images"]):
        if image["s3_uri"] is None:
            print(f"image {index} is withheld: {', '.join(image['flags'])}")
            continue
        path = directory / f"{job['id']}-{index}{Path(image['s3_uri']).suffix}"
        api.download(image, path)
        print(f"{image['s3_uri']} -> {path}")


def request_fields(argument: str) -> dict[str, Any]:
    """Parses a JSON object, `@FILE` or `-` (standard input). An image "@FILE" becomes a data: URL."""
    try:
        if argument == "-":
            argument = sys.stdin.read()
        elif argument.startswith("@"):
            argument = Path(argument[1:]).read_text()
        fields = _embed_images(json.loads(argument))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not isinstance(fields, dict):
        raise argparse.ArgumentTypeError("must be a JSON object")
    return fields


def _embed_images(value: Any, name: str = "") -> Any:
    match value:
        case dict():
            return {name: _embed_images(each, name) for name, each in value.items()}
        case list():
            return [_embed_images(each) for each in value]
        case str() if name in ("input_image", "mask_image", "image") and value.startswith("@"):
            path = Path(value[1:])
            media_type = mimetypes.guess_type(path.name, strict=False)[0] or "image/unknown"
            return f"data:{media_type};base64,{base64.b64encode(path.read_bytes()).decode()}"
        case _:
            return value


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(
        description="Generate images through the HTTP API.",
        epilog="Requires the environment variables STABLE_DIFFUSION_API_URL and STABLE_DIFFUSION_API_KEY.",
    )
    parser.add_argument("prompt")
    parser.add_argument(
        "--fields",
        type=request_fields,
        default={},
        help='more fields of the request: a JSON object, @FILE or -; an image may be "@FILE"',
    )
    parser.add_argument("--output", type=Path, default=Path("out"), help="directory for the images")
    parser.add_argument("--timeout-s", type=float, default=1800, help="an idle endpoint starts in minutes")
    arguments = parser.parse_args()
    try:
        url, key = os.environ["STABLE_DIFFUSION_API_URL"], os.environ["STABLE_DIFFUSION_API_KEY"]
    except KeyError as missing:
        parser.error(f"the environment variable {missing.args[0]} is not set")
    api = JobsApi(url, key, timeout_s=arguments.timeout_s)
    try:
        _generate_and_save(api, {"prompt": arguments.prompt, **arguments.fields}, arguments.output)
    except (JobError, urllib3.exceptions.HTTPError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
