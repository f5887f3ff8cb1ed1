"""Adapters by the names that requests give them, from the models bucket to this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from contract.adapters import CONTROLNET, DIRECTORY, EMBEDDING, LORA, UPSCALER, VAE, AdapterKind
from contract.generation import Generation
from contract.identifiers import S3Location
from contract.problem import ErrorCode, FieldError, ProblemError
from inference.artifacts.adapter_lookup import SHOWN_NAMES, find, names_of
from inference.artifacts.disk_cache import DiskCache
from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import AdapterFile, Adapters
from inference.transfer.errors import Obstacle, TransferError
from inference.transfer.s3 import fetch, fetch_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class AdapterNotFoundError(ProblemError):
    """There is no adapter of that name."""

    code = ErrorCode.ADAPTER_NOT_FOUND


class AdapterFetchError(ProblemError):
    """The models bucket did not give an adapter."""

    code = ErrorCode.INTERNAL


class AdapterStore:
    """Fetches adapters when they are asked for, and keeps those that are used often on the disk.

    It asks the bucket for the version every time, so that one that has been replaced is fetched anew.
    """

    def __init__(self, s3: "S3Client | None", bucket: str | None, directory: Path, *, max_bytes: int) -> None:
        """Takes where adapters come from and where they are kept.

        Args:
            s3: None offers no adapters.
            bucket: the models bucket; None offers no adapters.
            directory: its own; what an earlier process has left there is removed.
            max_bytes: what adapters may occupy there. Larger ones are refused.
        """
        self._s3 = s3
        self._bucket = bucket
        self._max_bytes = max_bytes
        self._disk = DiskCache(directory, max_bytes=max_bytes)

    def fetch(self, generation: Generation) -> Adapters:
        """The files of everything that a generation names, which stay for as long as the answer is held.

        Raises:
            AdapterNotFoundError: there is no such adapter, or there are none at all.
            AdapterUnusableError: one is too large.
            AdapterFetchError: the bucket is out of reach.
        """
        return Adapters(
            loras=tuple(
                self._obtain(LORA, lora.name, f"#/loras/{index}/name")
                for index, lora in enumerate(generation.loras)
            ),
            embeddings=tuple(
                self._obtain(EMBEDDING, name, f"#/embeddings/{index}")
                for index, name in enumerate(generation.embeddings)
            ),
            controlnets=tuple(
                self._obtain(CONTROLNET, controlnet.type, f"#/controlnets/{index}/type")
                for index, controlnet in enumerate(generation.controlnets)
            ),
            vae=None if generation.vae is None else self._obtain(VAE, generation.vae, "#/vae"),
        )

    def fetch_upscaler(self, name: str, *, pointer: str = "#/upscale/upscaler") -> AdapterFile:
        """The file of an upscaler; see `fetch`.

        Args:
            name: as requests call it.
            pointer: to the request's field that names it, for the error.
        """
        return self._obtain(UPSCALER, name, pointer)

    def _obtain(self, kind: AdapterKind, name: str, pointer: str) -> AdapterFile:
        if self._s3 is None or self._bucket is None:
            raise _not_found(pointer, f"no {kind.name} is offered here: the service has no models bucket")
        with _reaching(kind, name, pointer):
            found = find(self._s3, self._bucket, kind, name)
            if found is None:
                there = names_of(self._s3, self._bucket, kind)
                raise _not_found(pointer, f"there is no {kind.name} {name!r}; {_listed(there, kind)}")
            if found.size_bytes > self._max_bytes:
                detail = f"{name!r} has {found.size_bytes:,} bytes; {self._max_bytes:,} are accepted"
                raise AdapterUnusableError(
                    f"The {kind.name} {detail}.", errors=(FieldError(pointer=pointer, detail=detail),)
                )
            source = S3Location(self._bucket, found.key)
            is_directory = found.ending == DIRECTORY
            return self._disk.obtain(
                found.key,
                name,
                version=found.version,
                suffix="" if is_directory else found.ending,
                size_bytes=found.size_bytes,
                fill=partial(fetch_prefix if is_directory else fetch, self._s3, source),
            )


def _listed(names: list[str], kind: AdapterKind) -> str:
    if not names:
        return f"none lies under {kind.prefix} in the models bucket"
    if len(names) > SHOWN_NAMES:
        return f"use one of those under {kind.prefix} in the models bucket"
    return f"there is {', '.join(names)}"


def _not_found(pointer: str, detail: str) -> AdapterNotFoundError:
    return AdapterNotFoundError(
        f"{detail[0].upper()}{detail[1:]}.", errors=(FieldError(pointer=pointer, detail=detail),)
    )


@contextmanager
def _reaching(kind: AdapterKind, name: str, pointer: str) -> Iterator[None]:
    try:
        yield
    except TransferError as error:
        if error.obstacle == Obstacle.MISSING:
            raise _not_found(pointer, f"the {kind.name} {name!r} has just been removed") from error
        raise _out_of_reach(kind, name) from error
    except (BotoCoreError, ClientError) as error:
        raise _out_of_reach(kind, name) from error


def _out_of_reach(kind: AdapterKind, name: str) -> AdapterFetchError:
    return AdapterFetchError(
        f"The {kind.name} {name!r} could not be fetched from the models bucket; send the request again."
    )
