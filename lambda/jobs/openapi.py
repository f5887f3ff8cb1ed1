"""Prints the API's OpenAPI document: `python -m jobs.openapi`."""

import json

from jobs.http_handler import openapi_json

if __name__ == "__main__":
    print(json.dumps(json.loads(openapi_json()), indent=2))
