"""Adapters of the models bucket, downloaded on demand and cached on disk."""

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
from inference.artifacts.adapter_lookup import MAX_LISTED_NAMES, find_adapter, list_adapter_names
from inference.artifacts.disk_cache import DiskCache
from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import AdapterFile, Adapters
from inference.transfer.errors import TransferError, TransferFailure
from inference.transfer.s3 import fetch, fetch_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class AdapterNotFoundError(ProblemError):
    """There is no adapter of this name."""

    code = ErrorCode.ADAPTER_NOT_FOUND


class AdapterFetchError(ProblemError):
    """An adapter could not be downloaded from the models bucket."""

    code = ErrorCode.INTERNAL


class AdapterStore:
    """Downloads adapters on demand, and caches the most recently used ones on disk.

    The version is read from the bucket for every request, so that a replaced adapter is downloaded again.
    """

    def __init__(self, s3: "S3Client | None", bucket: str | None, directory: Path, *, max_bytes: int) -> None:
        """Starts with an empty cache.

        Args:
            s3: None: no adapters are available.
            bucket: the models bucket; None: no adapters are available.
            directory: of the cache; existing files are deleted.
            max_bytes: size of the cache. Larger adapters are refused.
        """
        self._s3 = s3
        self._bucket = bucket
        self._max_bytes = max_bytes
        self._cache = DiskCache(directory, max_bytes=max_bytes)

    def fetch(self, generation: Generation) -> Adapters:
        """The adapters of a generation. The files are kept as long as the returned objects are referenced.

        Raises:
            AdapterNotFoundError: an adapter does not exist, or there is no models bucket.
            AdapterUnusableError: an adapter is too large.
            AdapterFetchError: the models bucket could not be read.
        """
        return Adapters(
            loras=tuple(
                self._fetch(LORA, lora.name, generation.lora_pointer(index))
                for index, lora in enumerate(generation.active_loras)
            ),
            embeddings=tuple(
                self._fetch(EMBEDDING, name, f"#/embeddings/{index}")
                for index, name in enumerate(generation.embeddings)
            ),
            controlnets=tuple(
                self._fetch(CONTROLNET, controlnet.type, f"#/controlnets/{index}/type")
                for index, controlnet in enumerate(generation.controlnets)
            ),
            vae=None if generation.vae is None else self._fetch(VAE, generation.vae, "#/vae"),
        )

    def fetch_upscaler(self, name: str, *, pointer: str = "#/upscale/upscaler") -> AdapterFile:
        """The file of an upscaler; see `fetch`.

        Args:
            name: as in requests.
            pointer: JSON pointer to the request's field that names it, for the error.
        """
        return self._fetch(UPSCALER, name, pointer)

    def _fetch(self, kind: AdapterKind, name: str, pointer: str) -> AdapterFile:
        if self._s3 is None or self._bucket is None:
            raise _not_found(pointer, f"no {kind.name} is available: this endpoint has no models bucket")
        with _fetch_errors(kind, name, pointer):
            found = find_adapter(self._s3, self._bucket, kind, name)
            if found is None:
                available = list_adapter_names(self._s3, self._bucket, kind)
                raise _not_found(pointer, f"there is no {kind.name} {name!r}; {_listed(available, kind)}")
            if found.size_bytes > self._max_bytes:
                detail = (
                    f"{name!r} has {found.size_bytes:,} bytes, and {self._max_bytes:,} are accepted; use a "
                    "smaller one"
                )
                raise AdapterUnusableError(
                    f"The {kind.name} {detail}.", errors=(FieldError(pointer=pointer, detail=detail),)
                )
            source = S3Location(self._bucket, found.key)
            is_directory = found.suffix == DIRECTORY
            return self._cache.get(
                found.key,
                name,
                version=found.version,
                suffix="" if is_directory else found.suffix,
                size_bytes=found.size_bytes,
                download=partial(fetch_prefix if is_directory else fetch, self._s3, source),
            )


def _listed(names: list[str], kind: AdapterKind) -> str:
    if not names:
        return f"there is none under {kind.prefix} in the models bucket; upload one, or omit it"
    if len(names) > MAX_LISTED_NAMES:
        return f"use one of those under {kind.prefix} in the models bucket"
    return f"available: {', '.join(names)}"


def _not_found(pointer: str, detail: str) -> AdapterNotFoundError:
    return AdapterNotFoundError(
        f"{detail[0].upper()}{detail[1:]}.", errors=(FieldError(pointer=pointer, detail=detail),)
    )


@contextmanager
def _fetch_errors(kind: AdapterKind, name: str, pointer: str) -> Iterator[None]:
    """Raises transfer errors from the block as errors of the adapter."""
    try:
        yield
    except TransferError as error:
        if error.failure == TransferFailure.NOT_FOUND:
            raise _not_found(
                pointer, f"the {kind.name} {name!r} was removed during its download; use another"
            ) from error
        raise _fetch_failed(kind, name) from error
    except (BotoCoreError, ClientError) as error:
        raise _fetch_failed(kind, name) from error


def _fetch_failed(kind: AdapterKind, name: str) -> AdapterFetchError:
    return AdapterFetchError(
        f"The {kind.name} {name!r} could not be downloaded from the models bucket; send the request again."
    )
