"""The conversion command: `python -m inference.models.conversion FROM TO`."""

import argparse
import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import boto3
from pydantic import ValidationError

from contract.identifiers import S3Location
from contract.manifest import ModelManifest, SchedulerOverrides
from contract.model import ModelDefaults
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
        usage="python -m inference.models.conversion FROM TO [options]",
        description="Converts a model to fp16 safetensors in the diffusers layout.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="FROM", nargs="?", default="", help=_HELP["FROM"])
    parser.add_argument("target", metavar="TO", nargs="?", default="", help=_HELP["TO"])
    _add_options(parser)
    parsed = parser.parse_args(arguments)
    _require(parser, {"FROM": parsed.source, "TO": parsed.target})
    started = time.monotonic()
    try:
        manifest = _convert(parsed.source, parsed.target, _Options.of(parsed))
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


@dataclass(frozen=True)
class _Options:
    """The values that the source does not say, and the command does.

    Attributes:
        scheduler: see `inference.models.conversion.converter.convert`.
        defaults: see there.
    """

    scheduler: SchedulerOverrides
    defaults: ModelDefaults

    @classmethod
    def of(cls, parsed: argparse.Namespace) -> Self:
        """The options of the command line.

        Raises:
            UnusableModelError: a value is not valid.
        """
        given = {name: value for name, value in vars(parsed).items() if value is not None}
        scheduler = {name: given[name] for name in SchedulerOverrides.model_fields if name in given}
        defaults = {name: given[name] for name in ("clip_skip", "vae") if name in given}
        try:
            return cls(SchedulerOverrides(**scheduler), ModelDefaults(**defaults))
        except ValidationError as error:
            first = error.errors()[0]
            option = str(first["loc"][0]).replace("_", "-")
            raise UnusableModelError(f"--{option}: {first['msg']}; correct it.") from error

    @property
    def given_defaults(self) -> dict[str, Any]:
        """The defaults that are given, by their names."""
        return self.defaults.model_dump(exclude_unset=True)

    def agree_with(self, manifest: ModelManifest) -> bool:
        """Whether a model with this manifest was converted with these options."""
        scheduler = {} if manifest.scheduler is None else manifest.scheduler.options
        defaults = {} if manifest.defaults is None else manifest.defaults.model_dump(exclude_unset=True)
        return (
            self.scheduler.options.items() <= scheduler.items()
            and self.given_defaults.items() <= defaults.items()
        )


def _add_options(parser: argparse.ArgumentParser) -> None:
    predictions, spacings = ("epsilon", "v_prediction", "sample"), ("leading", "trailing", "linspace")
    options = parser.add_argument_group("what the source does not say")
    options.add_argument("--prediction-type", choices=predictions, help="what the UNet predicts")
    options.add_argument("--timestep-spacing", choices=spacings, help="trailing for few-step models")
    options.add_argument(
        "--rescale-betas-zero-snr",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether the model was trained with zero terminal SNR",
    )
    options.add_argument("--clip-skip", type=int, metavar="N", help="default of requests: 1 to 12")
    options.add_argument("--vae", metavar="NAME", help="default of requests: a VAE under adapters/vaes/")


def _require(parser: argparse.ArgumentParser, values: Mapping[str, str]) -> None:
    """Exits with 2 if a value is missing; `make convert` passes empty strings for unset variables."""
    missing = [name for name, value in values.items() if not value.strip()]
    if missing:
        parser.print_usage(sys.stderr)
        verb = "is" if len(missing) == 1 else "are"
        details = "".join(f"\n  {name}: {_HELP[name]}" for name in missing)
        parser.exit(2, f"error: {' and '.join(missing)} {verb} missing{details}\n{_EXAMPLE}\n")


def _convert(source: str, target_name: str, options: _Options) -> ModelManifest:
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
        if not options.agree_with(present):
            raise UnusableModelError(
                f"{target_name} already has this model with other options; remove it, or choose another "
                "target."
            )
        print(f"{target_name} already has this model.")
        return present
    print("Converting", flush=True)
    from inference.models.conversion.converter import convert  # torch takes seconds to import

    shutil.rmtree(target.staging_directory, ignore_errors=True)
    try:
        manifest = convert(
            fetched.path,
            target.staging_directory,
            fetched.original,
            scheduler=options.scheduler,
            defaults=options.given_defaults,
        )
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
