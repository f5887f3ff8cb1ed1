"""Requests for a model with known defaults and limits."""

import json
from typing import Any

import pytest

from contract.generation import Generation, InvalidRequestError
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from contract.problem import ErrorCode, FieldError, ProblemError
from contract.request import JobRequest
from contract.validation import parse_request

MODEL = ModelDeclaration(
    name="demo",
    defaults=ModelDefaults(
        width=128, height=64, steps=20, sampler="heun", guidance_scale=5, strength=0.6, clip_skip=2
    ),
    limits=ModelLimits(min_size=64, max_size=512, max_steps=50, max_count=3, max_output_size=1024),
)
IMAGE = "s3://data/inputs/a.png"


def find_model(name: str | None) -> ModelDeclaration:
    if name in (None, "demo"):
        return MODEL
    unknown = FieldError(pointer="#/model", detail="unknown model")
    raise ProblemError("unknown model", code=ErrorCode.MODEL_NOT_FOUND, errors=(unknown,))


def resolve(**body: Any) -> Generation:
    """The generation of a request for `MODEL`."""
    request = JobRequest.model_validate({"prompt": "x", **body})
    return Generation.resolve(request, MODEL, job_id=new_job_id(), seed=7)


def violations_of(**body: Any) -> dict[str, str]:
    """The errors of a well-formed request, by their pointers."""
    with pytest.raises(InvalidRequestError) as caught:
        resolve(**body)
    return by_pointer(caught.value)


def parse_errors(body: str | dict[str, Any]) -> dict[str, str]:
    """The errors of a malformed request, by their pointers."""
    text = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(JobRequest, text, find_model)
    return by_pointer(caught.value)


def by_pointer(error: InvalidRequestError) -> dict[str, str]:
    assert error.code is ErrorCode.VALIDATION_FAILED
    assert all(each.detail in error.detail for each in error.errors)
    errors = {each.pointer: each.detail for each in error.errors}
    assert len(errors) == len(error.errors)
    return errors
