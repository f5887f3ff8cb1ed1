"""The Lambda bundle: the functions' sources and pure-Python libraries, assembled without Docker."""

import importlib.metadata
import importlib.util
import shutil
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

_ROOT = Path(__file__).parents[1]
_LIBRARIES = ("h11", "httpcore2", "standardwebhooks", "truststore", "ulid")
"""Pure-Python packages that are in neither the Lambda runtime nor the Powertools layer."""

_READS_ITS_VERSION = "httpcore2"
"""The library that reads its own metadata when it is imported."""

_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")


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
        _copy(_ROOT / "lambda" / "jobs", output / "jobs")
        _copy(_ROOT / "contract", output / "contract")
        _copy(_ROOT / "guarded_http", output / "guarded_http")
        for name in _LIBRARIES:
            _copy(_source_of(name), output / name)
        _copy_metadata(_READS_ITS_VERSION, output)
        return True


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=_IGNORED)


def _copy_metadata(library: str, output: Path) -> None:
    (path,) = (each for each in importlib.metadata.files(library) or () if each.name == "METADATA")
    target = output / path
    target.parent.mkdir()
    shutil.copyfile(path.locate(), target)


def _source_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed; run pip install -r requirements.txt")
    return Path(spec.origin).parent
