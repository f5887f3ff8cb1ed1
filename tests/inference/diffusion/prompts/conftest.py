from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True, scope="module")
def _inference() -> Iterator[None]:
    """As on the device's thread; so small models are quickest on one core."""
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.inference_mode():
        yield
    torch.set_num_threads(cores)
