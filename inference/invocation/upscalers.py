"""Upscalers by the names that requests use: upscaling models, and Lanczos."""

import asyncio
from concurrent.futures import Future
from typing import Protocol

from PIL import Image

from contract.keys import LANCZOS
from contract.size import Size
from inference.engine.interface import AdapterFile, Engine, UpscaleImage
from inference.invocation.executors import Executors


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

    def __init__(self, engine: Engine, fetch: FetchUpscaler, *, executors: Executors) -> None:
        """Creates the resolver.

        Args:
            engine: loads and runs upscaling models.
            fetch: downloads their files.
            executors: fetch and load models, and resize with Lanczos.
        """
        self._engine = engine
        self._fetch = fetch
        self._executors = executors

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
        return await asyncio.get_running_loop().run_in_executor(
            self._executors.upscalers, self._load, name, pointer
        )

    def _load(self, name: str, pointer: str) -> UpscaleImage:
        file = self._fetch(name, pointer=pointer)
        return self._engine.upscaler(file, pointer=pointer)

    def _resize(self, image: Image.Image, size: Size) -> Future[Image.Image]:
        return self._executors.outputs.submit(image.resize, size, Image.Resampling.LANCZOS)
