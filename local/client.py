"""A client of the HTTP API: submits jobs, follows them, fetches their images."""

import ssl
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import ValidationError

from contract.problem import ErrorCode, Problem

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 2.0


class JobFailedError(RuntimeError):
    """A job did not succeed.

    Attributes:
        detail: what happened, in a sentence.
        code: of the problem document, one of `ErrorCode`; None where there was none.
    """

    def __init__(self, detail: str, code: str | None = None) -> None:
        super().__init__(detail if code is None else f"{detail} ({code})")
        self.detail = detail
        self.code = code


class UnreachableError(RuntimeError):
    """Nothing answers at the API's address."""


class JobsClient:
    """The API at one address, used with one key."""

    def __init__(self, api_url: str, api_key: str, *, trust: ssl.SSLContext | None = None) -> None:
        """Connects to nothing yet.

        Args:
            api_url: `/v1/...` answers under it.
            api_key: for the header `x-api-key`.
            trust: for the links to images; None trusts the usual authorities.
        """
        self._http = httpx.Client(base_url=api_url, headers={"x-api-key": api_key}, timeout=60)
        self._links = httpx.Client(verify=trust or True, timeout=60)  # a link needs no key

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._http.close()
        self._links.close()

    def default_model(self) -> Any:
        """What GET /v1/models says of the model that jobs get which name none."""
        models = _sent(self._http, "GET", "/v1/models").json()["data"]
        return next(model for model in models if model["is_default"])

    def submit(self, request: Mapping[str, Any]) -> Any:
        """Submits a job and gives it as it was taken.

        Raises:
            JobFailedError: it was refused.
        """
        return _sent(self._http, "POST", "/v1/jobs", request).json()

    def follow(self, job: Any, *, timeout_s: float = 600) -> Iterator[Any]:
        """Gives a job as it stands, again and again, until it has succeeded.

        Raises:
            JobFailedError: it has failed, was canceled, or had not ended in time.
        """
        deadline = time.monotonic() + timeout_s
        pause_s = _FIRST_PAUSE_S
        while True:
            yield job
            match job["status"]:
                case "succeeded":
                    return
                case "failed":
                    raise JobFailedError(job["error"]["detail"], job["error"]["code"])
                case "canceled":
                    raise JobFailedError(f"job {job['id']} was canceled", ErrorCode.CANCELED)
            if time.monotonic() > deadline:
                raise JobFailedError(f"job {job['id']} had not ended after {timeout_s} s")
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.1, _LONGEST_PAUSE_S)
            job = _sent(self._http, "GET", job["links"]["self"]).json()

    def download(self, image: Mapping[str, Any]) -> bytes:
        """The file of an image of a job that has succeeded.

        Raises:
            JobFailedError: it is withheld, or did not arrive.
        """
        if image["url"] is None:
            raise JobFailedError(
                f"the image of seed {image['seed']} is withheld: {', '.join(image['flags'])}"
            )
        return _sent(self._links, "GET", image["url"]).content


def _sent(http: httpx.Client, method: str, path: str, body: Any = None) -> httpx.Response:
    """The answer to a request, if it is not a refusal."""
    try:
        answer = http.request(method, path, json=body)
    except httpx.TransportError as error:
        raise UnreachableError(
            f"nothing answers at {error.request.url.host}:{error.request.url.port}"
        ) from error
    if answer.is_success:
        return answer
    try:
        problem = Problem.model_validate_json(answer.content)
    except ValidationError:
        raise JobFailedError(f"HTTP {answer.status_code}: {answer.text}") from None
    raise JobFailedError(problem.detail, problem.code)
