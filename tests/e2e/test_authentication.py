"""The API key in each header that clients send it in."""

import httpx
import pytest

from local.stack import LocalStack


def status(stack: LocalStack, path: str = "/v1/models", **options: object) -> tuple[int, str]:
    """The status and the media type of a response."""
    answer = httpx.get(stack.address.api_url + path, timeout=60, **options)  # type: ignore[arg-type]
    return answer.status_code, answer.headers["content-type"].partition(";")[0]


def test_the_key_is_accepted_in_each_header(stack: LocalStack) -> None:
    key = stack.address.api_key
    for headers in ({"x-api-key": key}, {"Authorization": f"Bearer {key}"}):
        assert status(stack, headers=headers) == (200, "application/json")
    for credentials in (("anyone", key), (key, "")):
        assert status(stack, auth=credentials) == (200, "application/json")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": "wrong"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic d3Jvbmc6d3Jvbmc="},
        {"Authorization": "Token x"},
    ],
)
def test_a_missing_or_wrong_key_is_refused_with_a_problem_document(
    stack: LocalStack, headers: dict[str, str]
) -> None:
    answer = httpx.get(stack.address.api_url + "/v1/models", headers=headers, timeout=60)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (403, "forbidden")
    assert "Authorization: Bearer" in problem["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_all_headers_of_one_key_are_one_caller(stack: LocalStack, http: httpx.Client) -> None:
    """Uploads are below a directory of the caller."""
    body = {"content_type": "image/png", "size": 10}
    bearer = {"Authorization": f"Bearer {stack.address.api_key}"}
    first = http.post("/v1/uploads", json=body).json()["s3_uri"]
    second = httpx.post(stack.address.api_url + "/v1/uploads", json=body, headers=bearer, timeout=60)
    assert second.json()["s3_uri"].rpartition("/")[0] == first.rpartition("/")[0]


def test_a_form_reaches_the_function_as_bytes(stack: LocalStack, http: httpx.Client) -> None:
    """A JSON document that is declared as a form is decoded from the base64 of a binary media type."""
    answer = http.post(
        "/v1/uploads",
        content='{"content_type": "image/png", "size": 10}',
        headers={"content-type": "multipart/form-data; boundary=b"},
    )
    assert answer.status_code == 201, answer.text
