"""The part of botocore's data in the Lambda bundle: the models of the services that the functions call.

botocore contains 400 services, and most of their text is documentation. Without it, and without operations
of large services, clients are created in a third of the time.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

AWS_SERVICES = ("dynamodb", "s3", "sagemaker", "sagemaker-runtime", "secretsmanager", "sqs", "ssm")
"""The services that the functions call."""

_OPERATIONS = {"sagemaker": ("DescribeEndpoint",), "ssm": ("GetParameter",)}
"""The operations of large services that the functions call; their models contain no others."""

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
                _write(directory / path.name.removesuffix(".gz"), _reduced(service, path))


def _reduced(service: str, path: Path) -> Any:
    document = _without_documentation(_read(path))
    if service in _OPERATIONS and path.name.startswith("service-2"):
        return _with_operations(document, _OPERATIONS[service])
    return document


def _with_operations(model: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """A service model with these operations only, and the shapes that they refer to."""
    operations = {name: model["operations"][name] for name in names}
    shapes: dict[str, Any] = {}
    pending = [*_shape_names(operations)]
    while pending:
        name = pending.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            pending.extend(_shape_names(shapes[name]))
    return {**model, "operations": operations, "shapes": shapes}


def _shape_names(document: Any) -> Iterator[str]:
    """The names of the shapes that a part of a service model refers to."""
    match document:
        case dict():
            if isinstance(name := document.get("shape"), str):
                yield name
            for value in document.values():
                yield from _shape_names(value)
        case list():
            for value in document:
                yield from _shape_names(value)


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
