"""A compile cache in memory."""


class InMemoryCompileCache:
    """The packages by name."""

    def __init__(self) -> None:
        self.packages: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        """See `inference.engine.interface.CompileCache.read`."""
        return self.packages.get(name)

    def write(self, name: str, package: bytes) -> None:
        """See `inference.engine.interface.CompileCache.write`."""
        self.packages[name] = package
