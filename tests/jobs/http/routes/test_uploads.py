"""Uploads, with in-memory ports."""

import json
from typing import Any

import pytest

from jobs.uploads import MAX_UPLOAD_BYTES
from tests.jobs.fakes import InMemoryBackend
from tests.jobs.http_calls import call, post


def create(document: Any, key: str = "default") -> tuple[int, dict[str, str], Any]:
    return call("POST", "/v1/uploads", json.dumps(document), key=key)


def test_an_upload_is_a_form_and_the_uri_of_its_file(deployed: InMemoryBackend) -> None:
    status, headers, upload = create({"content_type": "image/png", "size": 1000})
    assert (status, headers["content-type"]) == (201, "application/json")
    assert upload.keys() == {"s3_uri", "url", "fields", "expires_at"}
    assert upload["s3_uri"].startswith("s3://data/inputs/")
    assert upload["s3_uri"].endswith(upload["fields"]["key"])
    assert upload["fields"]["Content-Type"] == "image/png"
    assert upload["fields"]["size"] == "1000"
    assert upload["expires_at"].endswith("Z")


def test_an_uploaded_file_is_accepted_as_an_input_image(deployed: InMemoryBackend) -> None:
    uri = create({"content_type": "image/webp", "size": 1})[2]["s3_uri"]
    assert post({"prompt": "x", "input_image": uri})[0] == 202


@pytest.mark.parametrize(
    ("document", "pointers"),
    [
        ({}, {"#/content_type", "#/size"}),
        ({"content_type": "image/svg+xml", "size": 1}, {"#/content_type"}),
        ({"content_type": "image/png", "size": 0}, {"#/size"}),
        ({"content_type": "image/png", "size": MAX_UPLOAD_BYTES + 1}, {"#/size"}),
        ({"content_type": "image/png", "size": "10"}, {"#/size"}),
        ({"content_type": "image/png", "size": 1, "name": "a"}, {"#/name"}),
    ],
)
def test_an_invalid_upload_names_its_fields(
    deployed: InMemoryBackend, document: Any, pointers: set[str]
) -> None:
    status, _, problem = create(document)
    assert (status, problem["code"]) == (422, "validation_failed")
    assert {error["pointer"] for error in problem["errors"]} == pointers


@pytest.mark.parametrize("body", [None, "", "[]", '{"size": NaN}', '{"size": 1, "size": 2}'])
def test_a_body_that_is_not_a_json_object_is_malformed(deployed: InMemoryBackend, body: str | None) -> None:
    status, _, problem = call("POST", "/v1/uploads", body)
    assert (status, problem["code"]) == (400, "malformed_request")
