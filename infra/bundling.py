"""The Lambda bundle: lambda/, contract/ and pure-Python libraries, assembled without Docker."""

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

_ROOT = Path(__file__).parents[1]
_LIBRARIES = ("ulid",)
"""Pure-Python packages that are in neither the Lambda runtime nor the Powertools layer."""

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
        for name in _LIBRARIES:
            _copy(_source_of(name), output / name)
        return True


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=_IGNORED)


def _source_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed; run pip install -r requirements.txt")
    return Path(spec.origin).parent
