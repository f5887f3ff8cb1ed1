"""A client of the HTTP API: submits jobs, polls them and downloads their images."""

import ssl
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import ValidationError

from contract.problem import ErrorCode, Problem

_FIRST_INTERVAL_S = 0.2
_LONGEST_INTERVAL_S = 2.0
_INTERVAL_GROWTH = 1.1


class JobFailedError(RuntimeError):
    """A job was refused or did not succeed.

    Attributes:
        detail: the reason, one sentence.
        code: the problem document's `ErrorCode`; None if the response was not a problem document.
    """

    def __init__(self, detail: str, code: str | None = None) -> None:
        super().__init__(detail if code is None else f"{detail} ({code})")
        self.detail = detail
        self.code = code


class UnreachableError(RuntimeError):
    """The connection to the API failed."""


class JobsClient:
    """A client of one API with one API key."""

    def __init__(self, api_url: str, api_key: str, *, tls: ssl.SSLContext | None = None) -> None:
        """Prepares the HTTP clients; no connection is made yet.

        Args:
            api_url: the base URL, to which `/v1/...` is appended.
            api_key: sent in the header `x-api-key`.
            tls: the TLS settings for downloads; None uses the default CA certificates.
        """
        self._api = httpx.Client(base_url=api_url, headers={"x-api-key": api_key}, timeout=60)
        self._downloads = httpx.Client(verify=tls or True, timeout=60)  # presigned URLs take no API key

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._api.close()
        self._downloads.close()

    def default_model(self) -> Any:
        """The default model's entry in GET /v1/models."""
        models = _request(self._api, "GET", "/v1/models").json()["data"]
        return next(model for model in models if model["is_default"])

    def submit(self, request: Mapping[str, Any]) -> Any:
        """Submits a job and returns its first representation.

        Raises:
            JobFailedError: the request was refused.
        """
        return _request(self._api, "POST", "/v1/jobs", request).json()

    def poll(self, job: Any, *, timeout_s: float = 600) -> Iterator[Any]:
        """Yields the job's current representation repeatedly until the job has succeeded.

        Raises:
            JobFailedError: the job failed, expired, was canceled or did not finish within the timeout.
        """
        deadline = time.monotonic() + timeout_s
        interval_s = _FIRST_INTERVAL_S
        while True:
            yield job
            match job["status"]:
                case "succeeded":
                    return
                case "failed" | "expired":
                    raise JobFailedError(job["error"]["detail"], job["error"]["code"])
                case "canceled":
                    raise JobFailedError(f"job {job['id']} was canceled", ErrorCode.CANCELED)
            if time.monotonic() > deadline:
                raise JobFailedError(f"job {job['id']} did not finish within {timeout_s} s")
            time.sleep(interval_s)
            interval_s = min(interval_s * _INTERVAL_GROWTH, _LONGEST_INTERVAL_S)
            job = _request(self._api, "GET", job["links"]["self"]).json()

    def download(self, image: Mapping[str, Any]) -> bytes:
        """Downloads the file of an image of a job that has succeeded.

        Raises:
            JobFailedError: the image is withheld by the safety check, or the download failed.
        """
        if image["url"] is None:
            raise JobFailedError(
                f"the image with seed {image['seed']} is withheld: {', '.join(image['flags'])}"
            )
        return _request(self._downloads, "GET", image["url"]).content


def _request(http: httpx.Client, method: str, path: str, body: Any = None) -> httpx.Response:
    """Sends a request and returns the successful response."""
    try:
        response = http.request(method, path, json=body)
    except httpx.TransportError as error:
        raise UnreachableError(
            f"no connection to {error.request.url.host}:{error.request.url.port}"
        ) from error
    if response.is_success:
        return response
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        raise JobFailedError(f"HTTP {response.status_code}: {response.text}") from None
    raise JobFailedError(problem.detail, problem.code)
