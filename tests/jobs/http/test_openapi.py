"""The OpenAPI document."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from contract.options import ControlNet, Hires, Lora, Outpaint, Upscale
from contract.problem import CONTENT_TYPE
from contract.submission import JobSubmission
from jobs.http.openapi import openapi_document
from jobs.http.routes import SHAPES
from jobs.http.shape import NATIVE
from tests.conftest import ROOT

COMMON = {"400", "405", "429", "500", "503"}
DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
MINIMAL: dict[type[BaseModel], dict[str, Any]] = {
    JobSubmission: {"prompt": "x"},
    ControlNet: {"type": "canny", "image": "s3://bucket/key"},
    Hires: {},
    Lora: {"name": "moon"},
    Outpaint: {"left": 8},
    Upscale: {},
}
"""A valid document of each part of a request."""


def test_the_committed_document_is_the_one_of_the_operations() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert openapi_document() == DOCUMENT


def operations(*, native: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """The operations of the API itself, or those of the shapes of other systems."""
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            if (operation["tags"] == [NATIVE.name]) is native:
                yield operation["operationId"], operation


def test_every_operation_lists_its_errors_as_problem_documents() -> None:
    expected = {
        "submitJob": {"202", "403", "404", "409", "413", "422"},
        "listJobs": {"200", "403", "422"},
        "getJob": {"200", "304", "403", "404"},
        "updateJob": {"200", "403", "404", "413", "422"},
        "deleteJob": {"204", "403", "404", "409"},
        "cancelJob": {"202", "403", "404", "409", "413"},
        "createUpload": {"201", "403", "413", "422"},
        "listModels": {"200", "403"},
        "listSamplers": {"200", "403"},
        "listAdapters": {"200", "403", "422"},
        "getOpenapi": {"200"},
        "getDocs": {"200"},
    }
    assert {name: {*each["responses"]} - COMMON for name, each in operations(native=True)} == expected
    for _, operation in operations(native=True):
        assert {*operation["responses"]} >= COMMON
        for status, response in operation["responses"].items():
            if status.startswith(("4", "5")):
                assert [*response["content"]] == ["application/problem+json"]
        assert operation["summary"]
        assert operation["description"]


def test_errors_of_other_shapes_have_the_form_of_the_shape_too() -> None:
    shapes = {shape.name: shape for shape in SHAPES}
    for name, operation in operations(native=False):
        (tag,) = operation["tags"]
        assert {*COMMON, "403"} <= {*operation["responses"]}
        for status, response in operation["responses"].items():
            if status.startswith(("4", "5")):
                types = {CONTENT_TYPE, shapes[tag].problem_media_type}
                assert {*response["content"]} == types, (name, status)
        assert operation["summary"]
        assert operation["description"]


def test_the_headers_of_requests_and_responses_are_described() -> None:
    found = {
        name: (
            {each["name"] for each in operation["parameters"] if each["in"] != "path"},
            {header for response in operation["responses"].values() for header in response.get("headers", {})}
            - {"Allow"},
        )
        for name, operation in operations(native=True)
    }
    waits = {"Retry-After"}
    assert found == {
        "submitJob": ({"Idempotency-Key"}, waits | {"Location"}),
        "listJobs": ({"status", "model", "tag", "text", "limit", "cursor"}, waits),
        "getJob": ({"If-None-Match"}, waits | {"ETag"}),
        "updateJob": (set(), waits),
        "deleteJob": (set(), waits),
        "cancelJob": (set(), waits),
        "createUpload": (set(), waits),
        "listModels": (set(), waits),
        "listSamplers": (set(), waits),
        "listAdapters": ({"kind", "limit", "cursor"}, waits),
        "getOpenapi": (set(), waits),
        "getDocs": (set(), waits | {"Content-Security-Policy"}),
    }


def test_only_the_description_of_the_api_needs_no_key() -> None:
    public = {"getOpenapi", "getDocs"}
    assert {name for name, each in operations(native=True) if each.get("security") == []} == public
    assert not [name for name, each in operations(native=False) if "security" in each]
    assert DOCUMENT["security"] == [{"apiKey": []}, {"bearer": []}, {"basic": []}]
    assert {*DOCUMENT["components"]["securitySchemes"]} == {"apiKey", "bearer", "basic"}


def test_every_reference_has_a_schema() -> None:
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert references - {*SCHEMAS} == set()


def bounds(model: type[BaseModel]) -> Iterator[tuple[str, list[Any], list[Any]]]:
    """Each field of a model with values at its bounds, and values just outside of them."""
    for name, declared in SCHEMAS[model.__name__]["properties"].items():
        schema = next((each for each in declared.get("anyOf", [declared]) if each.get("type") != "null"), {})
        step = schema.get("multipleOf", 1 if schema.get("type") == "integer" else 0.001)
        number = int if schema.get("type") == "integer" else float
        inside, outside = [], []
        for key, sign in (("minimum", -1), ("maximum", 1)):
            if key in schema:
                inside.append(number(schema[key]))
                outside.append(number(schema[key] + sign * step))
        for key, sign in (("exclusiveMinimum", 1), ("exclusiveMaximum", -1)):
            if key in schema:
                inside.append(schema[key] + sign * step)
                outside.append(schema[key])
        if "multipleOf" in schema:
            outside.append(number(schema["minimum"] + 1))
        if inside or outside:
            yield name, inside, outside


@pytest.mark.parametrize("model", MINIMAL, ids=lambda model: model.__name__)
def test_the_bounds_of_numbers_are_those_of_the_validation(model: type[BaseModel]) -> None:
    found = list(bounds(model))
    assert found
    for name, inside, outside in found:
        for value in inside:
            other = {"left": 8, "right": 8} if model is Outpaint else {}
            other |= {"end": 1.0} if name == "start" and value == 0 else {}
            if name in ("start", "end") and value == (1 if name == "start" else 0):
                continue  # start must be less than end
            model.model_validate({**MINIMAL[model], **other, name: value})
        for value in outside:
            with pytest.raises(ValidationError) as caught:
                model.model_validate({**MINIMAL[model], name: value})
            assert name in {error["loc"][0] for error in caught.value.errors()}


def test_lists_and_texts_are_bounded() -> None:
    properties = SCHEMAS["JobSubmission"]["properties"]
    assert {name: each["maxItems"] for name, each in properties.items() if each.get("type") == "array"} == {
        "controlnets": 4,
        "loras": 8,
        "embeddings": 8,
        "tags": 10,
        "webhook_events": 5,
    }
    assert properties["embeddings"]["uniqueItems"]
    prompt = properties["prompt"]
    assert (prompt["minLength"], prompt["maxLength"], prompt["pattern"]) == (1, 4000, r"\S")
    sampler = properties["sampler"]["anyOf"][0]
    assert (sampler["minLength"], sampler["maxLength"]) == (1, 64)
    for schema in (properties["input_image"]["anyOf"][0], SCHEMAS["ControlNet"]["properties"]["image"]):
        assert (schema["minLength"], schema["maxLength"]) == (8, 5_000_000)


@pytest.mark.parametrize(
    ("uri", "matches"),
    [
        ("s3://b/k", True),
        ("https://host/path", True),
        ("HTTPS://host/path", True),
        ("data:image/png;base64,AAAA", True),
        ("DATA:image/tiff;base64,AAAA", True),
        ("data:image/svg+xml;base64,AAAA", False),
        ("http://host/path", False),
        ("s3://bucket", False),
        ("file:///path", False),
    ],
)
def test_the_pattern_of_images_agrees_with_the_validation(uri: str, matches: bool) -> None:
    schema = SCHEMAS["JobSubmission"]["properties"]["input_image"]["anyOf"][0]
    assert bool(re.search(schema["pattern"], uri)) is matches
    if matches:
        assert JobSubmission(prompt="x", input_image=uri).input_image == uri
    else:
        with pytest.raises(ValidationError):
            JobSubmission(prompt="x", input_image=uri)


def test_the_parts_of_paths_and_the_pattern_of_job_ids_are_listed() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            parts = {each["name"]: each for each in operation["parameters"] if each["in"] == "path"}
            assert [*parts] == re.findall(r"\{(\w+)\}", path)
            ids = [each for name, each in parts.items() if name == "job_id"]
            assert all(each["schema"]["pattern"] == "^[0-7][0-9A-HJKMNP-TV-Z]{25}$" for each in ids)
