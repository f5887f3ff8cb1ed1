"""The conversion command: `python -m inference.models.conversion FROM TO`."""

import argparse
import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from contract.identifiers import S3Location
from contract.manifest import ModelManifest
from inference.models.conversion.sources import fetch_source
from inference.models.conversion.targets import LocalTarget, S3Target, Target
from inference.models.errors import UnusableModelError
from inference.transfer.errors import TransferError
from inference.transfer.huggingface import HubError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_HELP = {
    "FROM": (
        "owner/name@commit on the Hugging Face Hub, or a local path or s3:// URI of a diffusers directory, a "
        "model.tar.gz or a single checkpoint file; gated repositories need HF_TOKEN"
    ),
    "TO": "a new directory, or an s3:// prefix",
}
_EXAMPLE = (
    "example: make convert FROM=v1-5-pruned-emaonly.safetensors TO=models/sd15\n"
    "     or: python -m inference.models.conversion v1-5-pruned-emaonly.safetensors models/sd15"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Converts a model; returns the exit status, 0 or 1. Missing arguments exit with 2, as argparse does."""
    parser = argparse.ArgumentParser(
        prog="python -m inference.models.conversion",
        usage="python -m inference.models.conversion FROM TO",
        description="Converts a model to fp16 safetensors in the diffusers layout.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="FROM", nargs="?", default="", help=_HELP["FROM"])
    parser.add_argument("target", metavar="TO", nargs="?", default="", help=_HELP["TO"])
    parsed = parser.parse_args(arguments)
    _require(parser, {"FROM": parsed.source, "TO": parsed.target})
    started = time.monotonic()
    try:
        manifest = _convert(parsed.source, parsed.target)
    except (UnusableModelError, HubError, TransferError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}; free disk space, or check the permissions.", file=sys.stderr)
        return 1
    total = sum(file.size for file in manifest.files)
    print(
        f"{parsed.target}: a model of the family {manifest.family}, {len(manifest.files)} files, "
        f"{total / 1e9:,.2f} GB, {time.monotonic() - started:,.0f} s."
    )
    return 0


def _require(parser: argparse.ArgumentParser, values: Mapping[str, str]) -> None:
    """Exits with 2 if a value is missing; `make convert` passes empty strings for unset variables."""
    missing = [name for name, value in values.items() if not value.strip()]
    if missing:
        parser.print_usage(sys.stderr)
        verb = "is" if len(missing) == 1 else "are"
        details = "".join(f"\n  {name}: {_HELP[name]}" for name in missing)
        parser.exit(2, f"error: {' and '.join(missing)} {verb} missing{details}\n{_EXAMPLE}\n")


def _convert(source: str, target_name: str) -> ModelManifest:
    s3 = boto3.client("s3")
    scratch = Path(tempfile.gettempdir(), "models", hashlib.sha256(source.encode()).hexdigest()[:16])
    target = _target(target_name, s3, scratch / "target")
    print(f"Reading {source}", flush=True)
    fetched = fetch_source(source, scratch / "source", s3)
    print(f"  SHA-256 {fetched.original.sha256}", flush=True)
    present = target.manifest()
    if present is not None:
        if present.original is None or present.original.sha256 != fetched.original.sha256:
            raise UnusableModelError(
                f"{target_name} already has another model; remove it, or choose another target."
            )
        print(f"{target_name} already has this model.")
        return present
    print("Converting", flush=True)
    from inference.models.conversion.converter import convert  # torch takes seconds to import

    shutil.rmtree(target.staging_directory, ignore_errors=True)
    try:
        manifest = convert(fetched.path, target.staging_directory, fetched.original)
        print(f"Writing {target_name}", flush=True)
        target.publish(manifest)
    finally:
        shutil.rmtree(target.staging_directory, ignore_errors=True)
    shutil.rmtree(scratch, ignore_errors=True)
    return manifest


def _target(name: str, s3: "S3Client", scratch: Path) -> Target:
    if not name.startswith("s3://"):
        return LocalTarget(Path(name))
    try:
        return S3Target(s3, S3Location.parse(name), scratch)
    except ValueError as error:
        raise UnusableModelError(f"{name} is not a valid S3 URI: it {error}.") from error


if __name__ == "__main__":
    sys.exit(main())
