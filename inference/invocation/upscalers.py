"""Upscalers by the names that requests use: upscaling models, and Lanczos."""

import asyncio
from concurrent.futures import Executor, Future
from typing import Protocol

from PIL import Image

from contract.keys import LANCZOS
from contract.size import Size
from inference.engine.interface import AdapterFile, Engine, UpscaleImage


class FetchUpscaler(Protocol):
    """Fetches the file of an upscaling model."""

    def __call__(self, name: str, *, pointer: str) -> AdapterFile:
        """Downloads the file unless it is cached; blocks.

        Args:
            name: as in requests.
            pointer: JSON pointer to the request's field that names it, for the error.

        Raises:
            ProblemError: there is no upscaler of this name.
        """
        ...


class UpscalerResolver:
    """Resolves the name of an upscaler to the function that runs it."""

    def __init__(self, engine: Engine, fetch: FetchUpscaler, *, executor: Executor) -> None:
        """Creates the resolver.

        Args:
            engine: loads and runs upscaling models.
            fetch: downloads their files.
            executor: fetches and loads models, and resizes with Lanczos.
        """
        self._engine = engine
        self._fetch = fetch
        self._executor = executor

    async def find(self, name: str, *, pointer: str) -> UpscaleImage:
        """The upscaler of this name, fetched and loaded.

        Args:
            name: as in requests.
            pointer: JSON pointer to the request's field that names it, for the error.

        Raises:
            ProblemError: there is no such upscaler, or it cannot be used.
        """
        if name == LANCZOS:
            return self._resize
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._load, name, pointer)

    def _load(self, name: str, pointer: str) -> UpscaleImage:
        file = self._fetch(name, pointer=pointer)
        return self._engine.upscaler(file, pointer=pointer)

    def _resize(self, image: Image.Image, size: Size) -> Future[Image.Image]:
        return self._executor.submit(image.resize, size, Image.Resampling.LANCZOS)
