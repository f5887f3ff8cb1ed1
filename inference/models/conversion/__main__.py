"""Converts a model to fp16 safetensors in the diffusers layout: `python -m inference.models.conversion`."""

import argparse
import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from contract.identifiers import S3Location
from contract.manifest import ModelManifest
from inference.models.conversion.sources import obtain
from inference.models.conversion.targets import LocalTarget, S3Target, Target
from inference.models.errors import UnusableModelError
from inference.transfer.errors import TransferError
from inference.transfer.huggingface import HubError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SOURCE = (
    "owner/name@commit of the Hugging Face hub, or, local or at s3://, a diffusers directory, a model.tar.gz "
    "or a single .safetensors or .ckpt; HF_TOKEN opens gated repositories"
)
_TARGET = "a directory to be made, or an s3:// prefix"


def main(arguments: Sequence[str] | None = None) -> int:
    """Converts; gives the exit status: 0, or 1 where it could not."""
    parser = argparse.ArgumentParser(
        prog="python -m inference.models.conversion",
        description="Makes a diffusers directory of fp16 safetensors of a model in any form.",
    )
    parser.add_argument("source", metavar="SOURCE", help=_SOURCE)
    parser.add_argument("target", metavar="TARGET", help=_TARGET)
    asked = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        manifest = _convert(asked.source, asked.target)
    except (UnusableModelError, HubError, TransferError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.strerror}: {error.filename}; make room, or check permissions.", file=sys.stderr)
        return 1
    total = sum(file.size for file in manifest.files)
    print(
        f"{asked.target} holds a model of the family {manifest.family}: {len(manifest.files)} files, "
        f"{total / 1e9:,.2f} GB, {time.monotonic() - started:,.0f} s."
    )
    return 0


def _convert(source: str, target_name: str) -> ModelManifest:
    s3 = boto3.client("s3")
    scratch = Path(tempfile.gettempdir(), "models", hashlib.sha256(source.encode()).hexdigest()[:16])
    target = _target(target_name, s3, scratch / "target")
    print(f"Reading {source}", flush=True)
    obtained = obtain(source, scratch / "source", s3)
    print(f"  SHA-256 {obtained.original.sha256}", flush=True)
    present = target.manifest()
    if present is not None:
        if present.original is None or present.original.sha256 != obtained.original.sha256:
            raise UnusableModelError(f"{target_name} holds another model; remove it, or name another target.")
        print("The model is there already.")
        return present
    print("Converting", flush=True)
    from inference.models.conversion.converter import convert  # torch takes seconds: mistakes are told before

    shutil.rmtree(target.workshop, ignore_errors=True)
    try:
        manifest = convert(obtained.path, target.workshop, obtained.original)
        print(f"Writing {target_name}", flush=True)
        target.put(manifest)
    finally:
        shutil.rmtree(target.workshop, ignore_errors=True)
    shutil.rmtree(scratch, ignore_errors=True)
    return manifest


def _target(name: str, s3: "S3Client", scratch: Path) -> Target:
    if not name.startswith("s3://"):
        return LocalTarget(Path(name))
    try:
        return S3Target(s3, S3Location.parse(name), scratch)
    except ValueError as error:
        raise UnusableModelError(f"{name} is no S3 URI: it {error}.") from error


if __name__ == "__main__":
    sys.exit(main())
