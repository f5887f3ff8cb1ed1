"""The HTTP API: requests, responses and the OpenAPI document."""
