"""The Lambda bundle: the functions' sources and pure-Python libraries, assembled without Docker."""

import importlib.metadata
import importlib.util
import shutil
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

from infra.bundled_botocore import copy_botocore_data

_ROOT = Path(__file__).parents[1]
_LIBRARIES = (
    "dateutil",
    "h11",
    "httpcore2",
    "jmespath",
    "multipart",
    "six",
    "standardwebhooks",
    "truststore",
    "ulid",
    "urllib3",
)
"""Pure-Python packages and modules that the Lambda runtime and the Powertools layer do not have, or not in
the pinned version: the runtime's botocore does not know all parameters of InvokeEndpointAsync.
"""

_READ_THEIR_VERSIONS = ("httpcore2", "python-ulid")
"""The libraries that read their own metadata when they are imported."""

_COMPILED = ("__pycache__", "*.pyc")


def functions_code() -> lambda_.Code:
    """The code bundle that all functions share."""
    return lambda_.Code.from_asset(
        str(_ROOT / "lambda"),
        asset_hash_type=cdk.AssetHashType.OUTPUT,
        bundling=cdk.BundlingOptions(image=lambda_.Runtime.PYTHON_3_12.bundling_image, local=_SourceBundle()),
    )


@jsii.implements(cdk.ILocalBundling)
class _SourceBundle:
    def try_bundle(self, output_dir: str, *_args: Any, **_options: Any) -> bool:
        """Copies the sources into `output_dir`. Returns True: the CDK then does not run Docker."""
        output = Path(output_dir)
        _copy(_ROOT / "lambda" / "jobs", output)
        _copy(_ROOT / "contract", output)
        _copy(_ROOT / "guarded_http", output)
        (output / "docs").mkdir()
        shutil.copyfile(_ROOT / "docs" / "openapi.json", output / "docs" / "openapi.json")
        for name in _LIBRARIES:
            _copy(_source_of(name), output)
        _copy_botocore(output)
        for name in _READ_THEIR_VERSIONS:
            _copy_metadata(name, output)
        return True


def _copy_botocore(output: Path) -> None:
    source = _source_of("botocore")
    shutil.copytree(source, output / "botocore", ignore=shutil.ignore_patterns("data", *_COMPILED))
    copy_botocore_data(source / "data", output / "botocore" / "data")


def _copy(source: Path, output: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, output / source.name, ignore=shutil.ignore_patterns(*_COMPILED))
    else:
        shutil.copyfile(source, output / source.name)


def _copy_metadata(library: str, output: Path) -> None:
    (path,) = (each for each in importlib.metadata.files(library) or () if each.name == "METADATA")
    target = output / path
    target.parent.mkdir()
    shutil.copyfile(path.locate(), target)


def _source_of(name: str) -> Path:
    """The directory of a package, or the file of a module."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{name} is not installed; run pip install -r requirements.txt")
    path = Path(spec.origin)
    return path.parent if path.name == "__init__.py" else path
