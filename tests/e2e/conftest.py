from collections.abc import Iterator

import httpx
import pytest

from local.stack import LocalStack


@pytest.fixture(scope="module")
def http(stack: LocalStack) -> Iterator[httpx.Client]:
    """A client with the key of the stack that the module has started."""
    with httpx.Client(
        base_url=stack.address.api_url, headers={"x-api-key": stack.address.api_key}, timeout=60
    ) as client:
        yield client
