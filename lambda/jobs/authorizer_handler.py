"""Lambda handler of the authorizer of API keys.

It finds the key in the headers of a request, and API Gateway compares it with the keys of the stage. Its
imports are few, since requests wait for its start. It logs nothing: an event contains the key.
"""

from collections.abc import Mapping
from typing import Any

from contract.api_keys import api_key_of


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Permits requests with a key, whichever it is, to go on to API Gateway's comparison."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    key = api_key_of(headers)
    answer: dict[str, Any] = {
        "principalId": "api-key",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Deny" if key is None else "Allow",
                    "Resource": _stage(event["methodArn"]),
                }
            ],
        },
    }
    return answer if key is None else {**answer, "usageIdentifierKey": key}


def _stage(method_arn: str) -> str:
    """All methods of the stage, without the client's path, which could contain wildcards and variables."""
    api, stage, *_ = method_arn.split("/")
    return f"{api}/{stage}/*"
