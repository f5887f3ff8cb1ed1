import asyncio
import json
from typing import Any

import pytest

from contract.generation import InvalidRequestError
from tests.inference.fake_engine import FakeEngine, create_handler


def errors_of(s3: Any, engine: FakeEngine, body: bytes) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        asyncio.run(create_handler(engine, s3).handle(body))
    assert engine.calls == []
    return {error.pointer: error.detail for error in caught.value.errors}


def test_unknown_fields_and_values_beyond_the_models_limits_are_reported_together(
    s3: Any, engine: FakeEngine
) -> None:
    body = {"prompt": "x", "promt": "y", "width": 264, "loras": ["moon"]}
    errors = errors_of(s3, engine, json.dumps(body).encode())
    assert set(errors) == {"#/promt", "#/width", "#/loras/0"}
    assert errors["#/width"] == "must be between 64 and 256 pixels, not 264"


def test_an_unknown_model_is_reported_with_the_invalid_fields(s3: Any, engine: FakeEngine) -> None:
    errors = errors_of(s3, engine, b'{"prompt": 5, "model": "other", "width": 264}')
    assert set(errors) == {"#/prompt", "#/model"}


@pytest.mark.parametrize("body", [b"", b"nonsense", b"\xff", b'{"prompt": "x"', b"["])
def test_a_body_that_is_not_json_is_reported(s3: Any, engine: FakeEngine, body: bytes) -> None:
    errors = errors_of(s3, engine, body)
    assert list(errors) == ["#"]
    assert "is not valid JSON" in errors["#"]
