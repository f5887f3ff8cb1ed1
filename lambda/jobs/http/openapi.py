"""The OpenAPI document: descriptions of the error responses, and its final form."""

import json
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from contract.problem import CONTENT_TYPE, Problem

_COMMON_PROBLEMS = {
    403: "The API key is missing or wrong.",
    405: "The path does not have this method; the header `Allow` lists its methods.",
    429: "There are too many requests; wait and try again.",
    500: "The service failed; try again.",
    503: "The service is unavailable; try again.",
}
_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ResponseValidationError", "ValidationError")
"""Schemas of error responses that the framework documents, but that this API never returns."""


def problem_responses(descriptions: dict[int, str]) -> dict[int, OpenAPIResponse]:
    """Responses with problem documents: the given ones, and those that every operation has."""
    return {
        status: {"description": description, "content": {CONTENT_TYPE: {"model": Problem}}}
        for status, description in sorted({**_COMMON_PROBLEMS, **descriptions}.items())
    }


def openapi_document(app: APIGatewayRestResolver) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the application's routes."""
    text = app.get_openapi_json_schema(
        title="Stable Diffusion Quick Kit",
        version="1.0.0",
        description=(
            "Submit a prompt, receive the S3 URIs of its images immediately, and follow the job until the "
            "images exist."
        ),
        security_schemes={"apiKey": APIKey(name="x-api-key", in_=APIKeyIn.header)},
        security=[{"apiKey": []}],
    )
    document: dict[str, Any] = json.loads(text)
    for methods in document["paths"].values():
        for operation in methods.values():
            if "HTTPValidationError" in json.dumps(operation["responses"]["422"]):
                del operation["responses"]["422"]
    for name in _FRAMEWORK_SCHEMAS:
        document["components"]["schemas"].pop(name, None)
    return document
