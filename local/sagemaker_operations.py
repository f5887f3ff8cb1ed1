"""SageMaker's operations InvokeEndpointAsync and DescribeEndpoint, added to MiniStack.

MiniStack checks the caller's signature and, if it enforces IAM, the policies, as for every other service.
Authorized requests are forwarded to the SageMaker emulator.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from local.resource_types import endpoint_arn

_INVOCATION_PATH = re.compile(r"/endpoints/([^/]+)/async-invocations")
_DESCRIPTION_TARGET = "SageMaker.DescribeEndpoint"
_FORWARDED_PREFIX = "x-amzn-"
_SHORTCUTS = "_handle_post_body_shortcuts"
"""MiniStack's handler of requests that are dispatched before the service is determined."""


def add_sagemaker_operations(ministack: dict[str, Any], control_plane: httpx.AsyncClient) -> None:
    """Adds the operations to MiniStack's services.

    Args:
        ministack: the namespace of MiniStack's `app` module.
        control_plane: a client of the SageMaker emulator.
    """
    handle_others, enforce = ministack[_SHORTCUTS], ministack["_enforce_data_plane"]

    async def handle(
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, Any],
        request_id: str,
    ) -> Any:
        if invocation := _INVOCATION_PATH.fullmatch(path):
            action, endpoint, upstream = "InvokeEndpointAsync", invocation[1], path
        elif headers.get("x-amz-target") == _DESCRIPTION_TARGET:
            endpoint = str(json.loads(body).get("EndpointName"))
            action, method, upstream = "DescribeEndpoint", "GET", f"/endpoints/{endpoint}"
        else:
            return await handle_others(method, path, headers, body, query, request_id)
        denial = enforce(
            "sagemaker",
            f"sagemaker:{action}",
            headers,
            query,
            request_id,
            resource_arn=endpoint_arn(endpoint),
        )
        if denial is not None:
            return denial
        response = await control_plane.request(method, upstream, headers=_forwarded(headers), content=body)
        returned = {**_forwarded(response.headers), "content-type": "application/json"}
        return response.status_code, returned, response.content

    ministack[_SHORTCUTS] = handle


def _forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith(_FORWARDED_PREFIX)}
