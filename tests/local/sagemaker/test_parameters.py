"""The constraints on the parameters of InvokeEndpointAsync."""

from collections.abc import Mapping
from typing import Any

import pytest

from local.sagemaker.parameters import InvalidParameterError, InvocationParameters


def parse(headers: Mapping[str, str], body: bytes = b"{}") -> Any:
    return InvocationParameters.parse({f"x-amzn-sagemaker-{k}": v for k, v in headers.items()}, body)


def test_a_body_needs_no_other_parameter() -> None:
    parsed = parse({})
    assert (parsed.body, parsed.input_location, parsed.content_type) == (b"{}", None, "application/json")
    assert (parsed.ttl_s, parsed.timeout_s) == (21_600, 900)


def test_all_parameters_are_read() -> None:
    parsed = parse(
        {
            "inputlocation": "s3://bucket/key",
            "inference-id": "01J-1",
            "filename": "01J-1.json",
            "s3outputpathextension": "a/b",
            "requestttlseconds": "60",
            "invocationtimeoutseconds": "3600",
            "content-type": "text/plain",
        },
        b"",
    )
    assert parsed == InvocationParameters(
        inference_id="01J-1",
        content_type="text/plain",
        body=None,
        input_location="s3://bucket/key",
        file_name="01J-1.json",
        extension="a/b",
        ttl_s=60,
        timeout_s=3600,
    )


@pytest.mark.parametrize(
    ("headers", "body", "message"),
    [
        ({}, b"", "exactly one of Body and InputLocation"),
        ({"inputlocation": "s3://bucket/key"}, b"{}", "exactly one of Body and InputLocation"),
        ({"inputlocation": "ftp://bucket/key"}, b"", "InputLocation must match the pattern"),
        ({}, bytes(128_001), "the length of Body must be between 0 and 128000, not 128001"),
        ({"filename": "a" * 33}, b"{}", "the length of Filename must be between 1 and 32, not 33"),
        ({"filename": ""}, b"{}", "the length of Filename must be between 1 and 32, not 0"),
        ({"filename": "a.b.c"}, b"{}", "Filename must match the pattern"),
        ({"filename": "a/b"}, b"{}", "Filename must match the pattern"),
        ({"s3outputpathextension": "s3://bucket"}, b"{}", "S3OutputPathExtension must match the pattern"),
        ({"inference-id": "a\u00e9"}, b"{}", "InferenceId must match the pattern"),
        ({"inference-id": "a" * 65}, b"{}", "the length of InferenceId must be between 1 and 64"),
        ({"requestttlseconds": "59"}, b"{}", "RequestTTLSeconds must be between 60 and 21600, not 59"),
        ({"invocationtimeoutseconds": "3601"}, b"{}", "InvocationTimeoutSeconds must be between 1 and 3600"),
        ({"invocationtimeoutseconds": "1.5"}, b"{}", "InvocationTimeoutSeconds must be an integer"),
    ],
)
def test_a_violated_constraint_is_named(headers: Mapping[str, str], body: bytes, message: str) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        parse(headers, body)
    assert str(refused.value).startswith(message)


def test_a_body_of_the_largest_size_is_accepted() -> None:
    assert len(parse({}, bytes(128_000)).body) == 128_000
