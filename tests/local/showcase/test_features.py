import pytest

from contract.request import JobRequest
from local.showcase.features import features


@pytest.mark.parametrize("side", [128, 512, 1024])
def test_every_request_is_valid_at_the_models_size(side: int) -> None:
    for feature in features(side):
        for request in feature.requests:
            if feature.label != "Refused requests":
                JobRequest.model_validate(request)
