"""`python -m bench.soak.ministack`: MiniStack, whose S3 and DynamoDB refuse a part of the calls."""

import os
import random
import sys
from collections.abc import Mapping
from typing import Any

from local.ministack_server import main

S3_REFUSALS = 0.05
UPDATE_REFUSALS = 0.1
SEED_VARIABLE = "SOAK_SEED"

_DISPATCH = "_handle_post_body_shortcuts"
"""MiniStack's handler of requests that are dispatched before the service is determined."""

_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
_DENIED = b'{"__type": "AccessDeniedException", "message": "refused by the soak test"}'
"""botocore retries a throttled update, but not this one: the function fails."""


def add_refusals(ministack: dict[str, Any], seed: str) -> None:
    """Makes S3 refuse reads and writes of objects, and DynamoDB updates of records.

    Args:
        ministack: the namespace of MiniStack's `app` module.
        seed: decides which calls are refused.
    """
    dispatch, chance = ministack[_DISPATCH], random.Random(seed)  # noqa: S311 - not for cryptography

    async def handle(
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, Any],
        request_id: str,
    ) -> Any:
        if "/s3/aws4_request" in headers.get("authorization", "") and "/outputs/" in path:
            if chance.random() < S3_REFUSALS:
                return 503, {"content-type": "application/xml"}, _SLOW_DOWN
        elif headers.get("x-amz-target", "").endswith(".UpdateItem") and chance.random() < UPDATE_REFUSALS:
            return 400, {"content-type": "application/x-amz-json-1.0"}, _DENIED
        return await dispatch(method, path, headers, body, query, request_id)

    ministack[_DISPATCH] = handle


if __name__ == "__main__":
    from ministack import app

    add_refusals(vars(app), os.environ[SEED_VARIABLE])
    main(sys.argv[1])
