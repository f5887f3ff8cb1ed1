from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True, scope="module")
def _inference_mode() -> Iterator[None]:
    """Inference mode, as on the engine thread, and one thread, with which such small models are fastest."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.inference_mode():
        yield
    torch.set_num_threads(threads)
