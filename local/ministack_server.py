"""MiniStack, extended by the resource types and the SageMaker operation that it lacks.

python -m local.ministack_server CONTROL_PLANE_URL
"""

import re
import sys
from collections.abc import Mapping
from typing import Any

import httpx

from local.resource_types import endpoint_arn, register

_CONTROL_PLANE_TIMEOUT_S = 30
"""Deleting an endpoint waits until its container has ended."""

_INVOCATION_PATH = re.compile(r"/endpoints/([^/]+)/async-invocations")
_FORWARDED_PREFIX = "x-amzn-"
_SHORTCUTS = "_handle_post_body_shortcuts"
"""MiniStack's handler of requests that are dispatched before the service is determined."""


def main(control_plane_url: str) -> None:
    """Runs MiniStack, configured by environment variables, until it is terminated.

    `control_plane_url` is the address of the SageMaker emulator.
    """
    from ministack import app
    from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS
    from ministack.services.s3 import _delete_bucket

    with httpx.Client(base_url=control_plane_url, timeout=_CONTROL_PLANE_TIMEOUT_S) as control_plane:
        register(_RESOURCE_HANDLERS, control_plane, _delete_bucket)
        add_invoke_endpoint_async(vars(app), httpx.AsyncClient(base_url=control_plane_url))
        sys.argv = ["ministack"]
        app.main()


def add_invoke_endpoint_async(ministack: dict[str, Any], control_plane: httpx.AsyncClient) -> None:
    """Adds the operation InvokeEndpointAsync to MiniStack's services.

    When MiniStack enforces IAM, it checks the caller's signature and policies as for every other service.
    Authorized requests are forwarded to the SageMaker emulator.

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
        invocation = _INVOCATION_PATH.fullmatch(path)
        if invocation is None:
            return await handle_others(method, path, headers, body, query, request_id)
        denial = enforce(
            "sagemaker",
            "sagemaker:InvokeEndpointAsync",
            headers,
            query,
            request_id,
            resource_arn=endpoint_arn(invocation[1]),
        )
        if denial is not None:
            return denial
        response = await control_plane.request(method, path, headers=_forwarded(headers), content=body)
        returned = {**_forwarded(response.headers), "content-type": "application/json"}
        return response.status_code, returned, response.content

    ministack[_SHORTCUTS] = handle


def _forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith(_FORWARDED_PREFIX)}


if __name__ == "__main__":
    main(sys.argv[1])
