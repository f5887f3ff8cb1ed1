import shutil
from collections.abc import Iterator

import httpx
import pytest

from local.page import is_built
from local.stack import PAGE, LocalStack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The stack shared by the modules that do not start their own, with a copy of the page as it is now."""
    page = tmp_path_factory.mktemp("page")
    if is_built(PAGE):
        shutil.copytree(PAGE, page, dirs_exist_ok=True)
    stack = LocalStack.start(port=0, directory=tmp_path_factory.mktemp("local"), report=print, page=page)
    yield stack
    stack.stop()


@pytest.fixture(scope="module")
def http(stack: LocalStack) -> Iterator[httpx.Client]:
    """An HTTP client with the base URL and the API key of the module's stack."""
    with httpx.Client(
        base_url=stack.address.api_url, headers={"x-api-key": stack.address.api_key}, timeout=60
    ) as client:
        yield client
