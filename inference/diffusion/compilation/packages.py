"""The packages of a UNet: read from the cache, or compiled, in the background."""

import logging
from collections import Counter
from collections.abc import Callable
from threading import Lock, Thread

from inference.diffusion.compilation.compiler_process import (
    CompilationError,
    Compile,
    CompilerUnavailableError,
)
from inference.diffusion.compilation.package import AotiPackage, Package, PackageError
from inference.diffusion.compilation.specification import Specification
from inference.engine.interface import CompileCache

_LOGGER = logging.getLogger(__name__)

LoadPackage = Callable[[bytes, Specification], Package]


def load_package(content: bytes, specification: Specification) -> Package:
    """The package with this content; raises PackageError."""
    return AotiPackage(content, frozenset(dict(specification.parameters)))


class Packages:
    """Packages that become ready one after the other, those with the most requests first.

    The cache is asked for a package at its first request; what it lacks is compiled. What cannot be compiled
    is not tried again.
    """

    def __init__(self, cache: CompileCache, compile_: Compile, *, load: LoadPackage = load_package) -> None:
        """Has no packages yet.

        Args:
            cache: stores packages for other containers.
            compile_: compiles a package; blocks for minutes.
            load: makes a package of its content.
        """
        self._cache = cache
        self._compile = compile_
        self._load = load
        self._lock = Lock()
        self._requests: Counter[Specification] = Counter()
        self._missing: set[Specification] = set()
        self._ready: dict[Specification, Package] = {}
        self._compiling = False
        self._available = True

    def get(self, specification: Specification) -> Package | None:
        """The package, if it is ready."""
        return self._ready.get(specification)

    def request(self, specification: Specification) -> None:
        """Counts a call that would use the package; does not block."""
        with self._lock:
            self._requests[specification] += 1
            first = self._requests[specification] == 1
        if first:
            Thread(target=self._read, args=(specification,), name="packages", daemon=True).start()

    def _read(self, specification: Specification) -> None:
        content = self._cache.read(specification.key)
        if content is not None and self._add(specification, content):
            _LOGGER.info("the compiled UNet for %s comes from the cache", specification.shape)
            return
        with self._lock:
            self._missing.add(specification)
            starts, self._compiling = not self._compiling, True
        if starts:
            self._compile_missing()

    def _compile_missing(self) -> None:
        while (specification := self._next()) is not None:
            try:
                content = self._compile(specification)
            except CompilerUnavailableError as error:
                self._available = False
                _LOGGER.warning("the UNet is not compiled: %s", error)
            except CompilationError as error:
                _LOGGER.warning(
                    "the UNet could not be compiled for %s; it stays eager: %s", specification.shape, error
                )
            else:
                if self._add(specification, content):
                    _LOGGER.info("the UNet has been compiled for %s", specification.shape)
                    self._cache.write(specification.key, content)

    def _next(self) -> Specification | None:
        with self._lock:
            if not self._missing or not self._available:
                self._compiling = False
                return None
            specification = max(self._missing, key=self._requests.__getitem__)
            self._missing.remove(specification)
            return specification

    def _add(self, specification: Specification, content: bytes) -> bool:
        try:
            self._ready[specification] = self._load(content, specification)
        except PackageError as error:
            _LOGGER.warning("a compiled UNet for %s is not used: %s", specification.shape, error)
            return False
        return True
