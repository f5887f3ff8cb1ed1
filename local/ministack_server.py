"""The emulated cloud: MiniStack, taught what it lacks of SageMaker and of our templates.

python -m local.ministack_server CONTROL_URL
"""

import re
import sys
from collections.abc import Mapping
from typing import Any

import httpx

from local.resource_types import endpoint_arn, register

_CONTROL_TIMEOUT_S = 30
"""Taking an endpoint away waits for its container to end."""

_INVOCATION = re.compile(r"/endpoints/([^/]+)/async-invocations")
_PASSED = "x-amzn-"
_SHORTCUTS = "_handle_post_body_shortcuts"
"""What MiniStack asks about a request before it looks for a service."""


def main(control_url: str) -> None:
    """Serves as the environment says until it is told to stop.

    `control_url` is the stand-in for SageMaker.
    """
    from ministack import app
    from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS
    from ministack.services.s3 import _delete_bucket

    with httpx.Client(base_url=control_url, timeout=_CONTROL_TIMEOUT_S) as control:
        register(_RESOURCE_HANDLERS, control, _delete_bucket)
        answer_invocations(vars(app), httpx.AsyncClient(base_url=control_url))
        sys.argv = ["ministack"]
        app.main()


def answer_invocations(ministack: dict[str, Any], control: httpx.AsyncClient) -> None:
    """Adds InvokeEndpointAsync to MiniStack's services.

    MiniStack checks the caller's signature and policies, as for every other service, when it enforces IAM.
    What it lets through goes to the stand-in.

    Args:
        ministack: the names in MiniStack's `app` module.
        control: a client of the stand-in.
    """
    others, enforce = ministack[_SHORTCUTS], ministack["_enforce_data_plane"]

    async def answer(
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, Any],
        request_id: str,
    ) -> Any:
        invocation = _INVOCATION.fullmatch(path)
        if invocation is None:
            return await others(method, path, headers, body, query, request_id)
        refusal = enforce(
            "sagemaker",
            "sagemaker:InvokeEndpointAsync",
            headers,
            query,
            request_id,
            resource_arn=endpoint_arn(invocation[1]),
        )
        if refusal is not None:
            return refusal
        passed = {name: value for name, value in headers.items() if name.startswith(_PASSED)}
        given = await control.request(method, path, headers=passed, content=body)
        returned = {name: value for name, value in given.headers.items() if name.startswith(_PASSED)}
        return given.status_code, returned | {"content-type": "application/json"}, given.content

    ministack[_SHORTCUTS] = answer


if __name__ == "__main__":
    main(sys.argv[1])
