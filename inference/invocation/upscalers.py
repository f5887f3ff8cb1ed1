"""UpscalingLoop by the names that requests use."""

import asyncio
from concurrent.futures import Executor, Future
from typing import Protocol

from PIL import Image

from contract.keys import LANCZOS
from contract.size import Size
from inference.engine.interface import AdapterFile, Engine, UpscaleImage


class FetchUpscaler(Protocol):
    """Where the files of upscalers come from."""

    def __call__(self, name: str, *, pointer: str) -> AdapterFile:
        """The upscaler's file; this may take long.

        Args:
            name: as requests call it.
            pointer: to the request's field that names it, for the error.

        Raises:
            ProblemError: there is none of this name.
        """
        ...


class UpscalerResolver:
    """What enlarges pictures: models, and Lanczos, which is none."""

    def __init__(self, engine: Engine, fetch: FetchUpscaler, *, transfers: Executor) -> None:
        """Takes what it works with.

        Args:
            engine: enlarges with models.
            fetch: where their files come from.
            transfers: threads that fetch and read them, and do without.
        """
        self._engine = engine
        self._fetch = fetch
        self._transfers = transfers

    async def find(self, name: str, *, pointer: str) -> UpscaleImage:
        """What goes by this name, fetched and read.

        Args:
            name: an upscaler's.
            pointer: to the request's field that names it, for the error.

        Raises:
            ProblemError: there is no such upscaler, or it cannot be used.
        """
        if name == LANCZOS:
            return self._without_model
        return await asyncio.get_running_loop().run_in_executor(self._transfers, self._open, name, pointer)

    def _open(self, name: str, pointer: str) -> UpscaleImage:
        file = self._fetch(name, pointer=pointer)
        return self._engine.upscaler(file, pointer=pointer)

    def _without_model(self, image: Image.Image, size: Size) -> Future[Image.Image]:
        return self._transfers.submit(image.resize, size, Image.Resampling.LANCZOS)
