"""The load that the local API bears, by kind of request."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from bench.figures import markdown, milliseconds
from local.client import JobsClient
from local.stack import LocalStack

_TIMEOUT_S = 120
_LIMIT = "10000"
"""Requests a second, and at once."""

_REQUEST = {"prompt": "a red circle", "steps": 1, "width": 64, "height": 64}

_Send = Callable[[httpx.Client], httpx.Response]


def table(stack: LocalStack, *, clients: int, requests: int) -> str:
    """Sends requests of each kind from several clients at once.

    The function makes no AWS calls for the first kind: its figures are those of the emulated API Gateway and
    Lambda, and of the proxy.
    """
    lift_throttle(stack)
    headers = {"x-api-key": stack.address.api_key}
    limits = httpx.Limits(max_connections=clients)
    with JobsClient(stack.address.api_url, stack.address.api_key) as client:
        *_, job = client.poll(client.submit(_REQUEST))
    with httpx.Client(
        base_url=stack.address.api_url, headers=headers, timeout=_TIMEOUT_S, limits=limits
    ) as http:
        kinds: dict[str, _Send] = {
            "GET /v1/models, which makes no AWS calls": lambda http: http.get("/v1/models"),
            "GET of a job that has ended": lambda http: http.get(job["links"]["self"]),
            "POST /v1/jobs": lambda http: http.post("/v1/jobs", json=_REQUEST),
        }
        rows = [(name, *_measure(http, send, clients, requests)) for name, send in kinds.items()]
    return markdown((f"{clients} clients, {requests} requests", "requests/s", "p50, ms", "p99, ms"), rows)


def lift_throttle(stack: LocalStack) -> None:
    """Raises the limits of the usage plan and of the API's stage, beyond which API Gateway answers 429."""
    apigateway = stack.aws.client("apigateway")
    (plan,) = apigateway.get_usage_plans()["items"]
    (deployed,) = plan["apiStages"]
    apigateway.update_usage_plan(usagePlanId=plan["id"], patchOperations=_limits("/throttle"))
    apigateway.update_stage(
        restApiId=deployed["apiId"],
        stageName=deployed["stage"],
        patchOperations=_limits("/*/*/throttling"),
    )


def _limits(path: str) -> list[dict[str, str]]:
    names = ("rateLimit", "burstLimit")
    return [{"op": "replace", "path": f"{path}/{name}", "value": _LIMIT} for name in names]


def _measure(http: httpx.Client, send: _Send, clients: int, requests: int) -> tuple[str, ...]:
    def timed(_number: int) -> float:
        sent_at = time.perf_counter()
        send(http).raise_for_status()
        return time.perf_counter() - sent_at

    with ThreadPoolExecutor(clients) as executor:
        list(executor.map(timed, range(2 * clients)))  # starts the functions
        started_at = time.perf_counter()
        latencies = list(executor.map(timed, range(requests)))
        seconds = time.perf_counter() - started_at
    return f"{requests / seconds:.0f}", milliseconds(latencies), milliseconds(latencies, 0.99)
