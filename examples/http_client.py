"""Draws pictures through the HTTP API: submits a job, follows it, downloads its images.

python examples/http_client.py "a red circle" --fields '{"count": 2, "seed": 7}'

Beyond the standard library it needs urllib3, which comes with boto3.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import urllib3

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 20.0
_NOT_TAKEN = {429, 503}
"""Statuses that refuse a job before anything is drawn, so that it can be sent again."""


class JobError(Exception):
    """A job was refused, failed, or did not end in time; the message says why."""


class JobsApi:
    """The API at one address, used with one key until time is up."""

    def __init__(self, url: str, key: str, *, timeout_s: float) -> None:
        self._url = url.rstrip("/")
        self._headers = {"x-api-key": key}
        self._deadline = time.monotonic() + timeout_s
        # for lost connections; a POST that may have arrived is not among them
        retry = urllib3.Retry(total=5, redirect=False, backoff_factor=0.5, respect_retry_after_header=False)
        self._http = urllib3.PoolManager(retries=retry, timeout=60.0)

    def draw(self, request: Mapping[str, Any]) -> Iterator[Any]:
        """Submits a job and gives it as it stands, again and again, until it has succeeded.

        Raises:
            JobError: it was refused, has failed, was canceled, or time is up.
        """
        answer = self._request("POST", "/v1/jobs", request)
        pause_s = _FIRST_PAUSE_S
        while True:
            job = answer.json()
            yield job
            if job["status"] == "succeeded":
                return
            if job["status"] == "failed":
                raise JobError(_in_words(job["error"]))
            if job["status"] == "canceled":
                raise JobError(f"job {job['id']} was canceled")
            if not self._wait(answer, pause_s):
                raise JobError(f"time is up, but job {job['id']} goes on and can still be followed")
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
            answer = self._request("GET", job["links"]["self"])

    def download(self, image: Mapping[str, Any], path: Path) -> None:
        """Saves an image of a job that has succeeded. Raises JobError if it arrives damaged."""
        answer = self._http.request("GET", image["url"])  # the link needs no key
        if hashlib.sha256(answer.data).hexdigest() != image["sha256"]:
            raise JobError(f"{image['s3_uri']} did not arrive as it was drawn (HTTP {answer.status})")
        path.write_bytes(answer.data)

    def _request(self, method: str, path: str, body: Any = None) -> urllib3.BaseHTTPResponse:
        pause_s = _FIRST_PAUSE_S
        while True:
            answer = self._http.request(method, f"{self._url}{path}", json=body, headers=self._headers)
            if answer.status < 300:
                return answer
            problem = _problem(answer)
            again = problem["retryable"] and (method == "GET" or answer.status in _NOT_TAKEN)
            if not again or not self._wait(answer, pause_s):
                raise JobError(_in_words(problem))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _wait(self, answer: urllib3.BaseHTTPResponse, pause_s: float) -> bool:
        """Waits so long, or as long as the answer asks for if that is more; False if time is up before."""
        pause_s = max(pause_s, urllib3.Retry().get_retry_after(answer) or 0)
        if time.monotonic() + pause_s > self._deadline:
            return False
        time.sleep(pause_s)
        return True


def _problem(answer: urllib3.BaseHTTPResponse) -> Any:
    """The answer's problem document (RFC 9457), or one like it where something else has answered."""
    if answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        return answer.json()
    text = answer.data.decode(errors="replace")
    return {
        "title": f"HTTP {answer.status}",
        "detail": text,
        "code": "no problem document",
        "retryable": False,
    }


def _in_words(problem: Mapping[str, Any]) -> str:
    return f"{problem['title']}: {problem['detail']} ({problem['code']})"


def _draw_and_save(api: JobsApi, request: Mapping[str, Any], directory: Path) -> None:
    for job in api.draw(request):
        print(f"{job['id']}: {job['phase'] or job['status']}")
    directory.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(job["images"]):
        if image["s3_uri"] is None:
            print(f"image {index} is withheld: {', '.join(image['flags'])}")
            continue
        path = directory / f"{job['id']}-{index}{Path(image['s3_uri']).suffix}"
        api.download(image, path)
        print(f"{image['s3_uri']} -> {path}")


def json_object(text: str) -> dict[str, Any]:
    """The fields that an argument holds."""
    return dict(json.loads(text))


def main() -> None:
    """Reads the command line and the environment; ends with the error in words."""
    parser = argparse.ArgumentParser(
        description="Draw pictures through the HTTP API.",
        epilog="The environment holds STABLE_DIFFUSION_API_URL and STABLE_DIFFUSION_API_KEY.",
    )
    parser.add_argument("prompt")
    parser.add_argument("--fields", type=json_object, default={}, help="more of the request: a JSON object")
    parser.add_argument("--output", type=Path, default=Path("out"), help="directory for the images")
    parser.add_argument("--timeout-s", type=float, default=1800, help="an endpoint at rest wakes in minutes")
    arguments = parser.parse_args()
    try:
        url, key = os.environ["STABLE_DIFFUSION_API_URL"], os.environ["STABLE_DIFFUSION_API_KEY"]
    except KeyError as missing:
        parser.error(f"the environment lacks {missing.args[0]}")
    api = JobsApi(url, key, timeout_s=arguments.timeout_s)
    try:
        _draw_and_save(api, {"prompt": arguments.prompt, **arguments.fields}, arguments.output)
    except (JobError, urllib3.exceptions.HTTPError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
