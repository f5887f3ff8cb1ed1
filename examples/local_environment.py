"""Prints the environment variables of the examples for a running `make up`, as shell commands.

eval "$(.venv/bin/python examples/local_environment.py)"
"""

import argparse
import json
import shlex
import sys
from pathlib import Path

import boto3

_ENDPOINT_FILE = Path(__file__).parents[1] / ".local" / "endpoint.json"
_KEY = "test"
_REGION = "us-east-1"


def _endpoint_name(aws_endpoint_url: str) -> str:
    """The output EndpointName of a deployed stack; any one if there are several models."""
    cloudformation = boto3.client(
        "cloudformation",
        endpoint_url=aws_endpoint_url,
        region_name=_REGION,
        aws_access_key_id=_KEY,
        aws_secret_access_key=_KEY,
    )
    stacks = cloudformation.describe_stacks()["Stacks"]
    outputs = [output for stack in stacks for output in stack.get("Outputs", [])]
    return next(each["OutputValue"] for each in outputs if each["OutputKey"] == "EndpointName")


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(
        description="Print the environment variables of the examples for the local stack."
    )
    parser.add_argument(
        "file", nargs="?", type=Path, default=_ENDPOINT_FILE, help="the stack's endpoint.json"
    )
    file: Path = parser.parse_args().file
    try:
        address = json.loads(file.read_text())
    except FileNotFoundError:
        sys.exit(f"error: there is no {file}; start the local stack with: make up")
    variables = {
        "STABLE_DIFFUSION_API_URL": address["api_url"],
        "STABLE_DIFFUSION_API_KEY": address["api_key"],
        "ENDPOINT": _endpoint_name(address["aws_endpoint_url"]),
        "BUCKET": address["data_bucket"],
        "AWS_ENDPOINT_URL": address["aws_endpoint_url"],
        "AWS_ACCESS_KEY_ID": _KEY,
        "AWS_SECRET_ACCESS_KEY": _KEY,
        "AWS_DEFAULT_REGION": _REGION,
    }
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    print("unset AWS_PROFILE AWS_REGION AWS_SESSION_TOKEN")


if __name__ == "__main__":
    main()
