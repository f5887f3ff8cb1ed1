"""Fetching and preprocessing of a job's input images, within limits on memory, time and threads."""

import asyncio
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from contract.environment import ContainerEnvironment
from contract.generation import Generation
from contract.problem import ErrorCode
from contract.request import input_image_uris
from guarded_http.fetch_scope import FetchScope
from inference.engine.errors import InputError
from inference.input.decode_queue import DecodeQueue
from inference.input.image_budget import ImageBudget, image_bytes
from inference.input.image_preprocessing import PreprocessedInputs, largest_image, preprocess_files
from inference.input.image_sources import ImageSources
from inference.isolation import IsolatedCall, IsolatedCallError, Limits

_P = ParamSpec("_P")
_T = TypeVar("_T")

_FETCHES_PER_JOB = 2
_IMAGE_BUDGET_BYTES = 1 << 30
_DIRECTORY = "inputs"


class InputPreprocessor:
    """Fetches and preprocesses the input images of jobs.

    Files are fetched to disk and decoded in child processes. Cancelling a coroutine ends both.
    """

    def __init__(
        self, *, sources: ImageSources, environment: ContainerEnvironment, executor: Executor
    ) -> None:
        """Creates the preprocessor.

        Args:
            sources: fetches the files.
            environment: the container's settings.
            executor: waits for hosts and child processes.
        """
        self._sources = sources
        self._models = environment.served
        self._max_pixels = environment.max_input_image_pixels
        self._executor = executor
        self._queue = DecodeQueue()
        self._budget = ImageBudget(_IMAGE_BUDGET_BYTES)

    def reserve_memory(self, generation: Generation) -> AbstractAsyncContextManager[None]:
        """Waits for memory for the preprocessed images, and holds it during the block."""
        return self._budget.reserve(image_bytes(generation, self._models[generation.model]))

    async def preprocess(self, generation: Generation) -> PreprocessedInputs:
        """Fetches the images, two at a time, and preprocesses them.

        Raises:
            InputError: an image cannot be used.
        """
        prefix = f"{_DIRECTORY}-{os.getpid()}-"
        with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as directory:
            files, digests = await self._fetch(input_image_uris(generation), Path(directory))
            async with self._queue.slot(0) as limits:
                pixels = await self._isolated(limits, largest_image, files, max_pixels=self._max_pixels)
            model = self._models[generation.model]
            async with self._queue.slot(pixels) as limits:
                preprocessed = await self._isolated(
                    limits, preprocess_files, generation, files, model, max_pixels=self._max_pixels
                )
        return replace(preprocessed, input_digests=digests)

    async def _fetch(
        self, uris: Mapping[str, str], directory: Path
    ) -> tuple[dict[str, Path], dict[str, str]]:
        """The files and their digests by pointer; each URI is fetched once."""
        share = asyncio.Semaphore(_FETCHES_PER_JOB)
        pointers: dict[str, str] = {}
        for pointer, uri in uris.items():
            pointers.setdefault(uri, pointer)
        paths = {uri: directory / str(number) for number, uri in enumerate(pointers)}
        run = asyncio.get_running_loop().run_in_executor

        async def fetch(uri: str) -> str:
            async with share:
                return await run(self._executor, self._fetch_file, uri, pointers[uri], paths[uri], scope)

        with FetchScope() as scope:
            tasks = {uri: asyncio.create_task(fetch(uri)) for uri in pointers}
            try:
                await asyncio.gather(*tasks.values())
            finally:
                for task in tasks.values():
                    task.cancel()
        return (
            {pointer: paths[uri] for pointer, uri in uris.items()},
            {pointer: tasks[uri].result() for pointer, uri in uris.items()},
        )

    def _fetch_file(self, uri: str, pointer: str, path: Path, scope: FetchScope) -> str:
        """The SHA-256 of the fetched file in hexadecimal."""
        with path.open("w+b") as file:
            self._sources.fetch(uri, pointer, file, scope)
            file.seek(0)
            return hashlib.file_digest(file, "sha256").hexdigest()

    async def _isolated(
        self, limits: Limits, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Calls the function in a child process, which is killed if this coroutine is cancelled."""
        call = IsolatedCall(limits, partial(function, *args, **kwargs))
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, call.result)
        except IsolatedCallError as error:
            detail = "the input images take too much time or memory to decode; send smaller or simpler files"
            raise InputError(ErrorCode.INPUT_IMAGE_TOO_LARGE, "#", detail) from error
        finally:
            call.kill()


def delete_leftovers() -> None:
    """Deletes the fetched files of containers that were killed. No preprocessor of this process may exist."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_DIRECTORY}-*-*"):
        process_id = directory.name.split("-")[1]
        if process_id == str(os.getpid()) or not _is_running(process_id):
            shutil.rmtree(directory, ignore_errors=True)


def _is_running(process_id: str) -> bool:
    try:
        os.kill(int(process_id), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True
