"""The part of botocore's data in the Lambda bundle: the models of the services that the functions call.

botocore contains 400 services, and most of their text is documentation. From models without it, clients are
created in half the time.
"""

import gzip
import json
from pathlib import Path
from typing import Any

AWS_SERVICES = ("dynamodb", "s3", "sagemaker", "sagemaker-runtime", "secretsmanager", "sqs", "ssm")
"""The services that the functions call."""

_ENDPOINT_PREFIXES = {*AWS_SERVICES, "api.sagemaker", "runtime.sagemaker"} - {
    "sagemaker",
    "sagemaker-runtime",
}
"""The services' names in endpoints.json."""

_SHARED_FILES = ("_retry.json", "partitions.json", "sdk-default-configuration.json")
_EXAMPLES = "examples-1"


def copy_botocore_data(source: Path, target: Path) -> None:
    """Copies the directory `data` of botocore, reduced to what the functions use.

    Args:
        source: the installed directory.
        target: a directory that does not exist.
    """
    target.mkdir()
    for name in _SHARED_FILES:
        (target / name).write_bytes((source / name).read_bytes())
    _write(target / "endpoints.json", _without_other_services(_read(source / "endpoints.json")))
    for service in AWS_SERVICES:
        version = max(path.name for path in (source / service).iterdir())
        directory = target / service / version
        directory.mkdir(parents=True)
        for path in sorted((source / service / version).iterdir()):
            if not path.name.startswith(_EXAMPLES):
                _write(directory / path.name.removesuffix(".gz"), _without_documentation(_read(path)))


def _read(path: Path) -> Any:
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, separators=(",", ":")))


def _without_documentation(document: Any) -> Any:
    """The document with empty texts named `documentation`; botocore expects some of them to exist."""
    match document:
        case dict():
            return {
                name: ""
                if name == "documentation" and isinstance(value, str)
                else _without_documentation(value)
                for name, value in document.items()
            }
        case list():
            return [_without_documentation(each) for each in document]
        case _:
            return document


def _without_other_services(endpoints: dict[str, Any]) -> dict[str, Any]:
    """The endpoints of all regions and partitions, for the services in use."""
    partitions = [
        {
            **partition,
            "services": {
                name: service for name, service in partition["services"].items() if name in _ENDPOINT_PREFIXES
            },
        }
        for partition in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}
