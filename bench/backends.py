"""The backends that are compared: ways to serve requests for one image each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from contract.generation import Generation


class Backend(Protocol):
    """Serves requests; called from several threads at once."""

    def generate(self, generation: Generation) -> None:
        """Generates one image, and returns when it is done."""
        ...

    def close(self) -> None:
        """Releases the model."""
        ...


def backends(model: Path, *, max_batch_size: int) -> Mapping[str, Callable[[], Backend]]:
    """A factory for each backend, by its name in the tables; each imports only what it needs.

    Args:
        model: a diffusers directory.
        max_batch_size: images in a forward pass at most, of those that batch.
    """

    def engine() -> Backend:
        from bench.engine_backend import load

        return load(model, max_batch_size=max_batch_size)

    def batched() -> Backend:
        from bench.pipelines import Batched, load_default

        return Batched(lambda: load_default(model), max_batch_size=max_batch_size)

    def sequential(name: str, *, autocast: bool = False, reloading: bool = False) -> Callable[[], Backend]:
        def create() -> Backend:
            from bench import pipelines

            kind = pipelines.Reloading if reloading else pipelines.Sequential
            return kind(lambda: getattr(pipelines, name)(model), autocast=autocast)

        return create

    return {
        "this engine": engine,
        "diffusers": sequential("load_default"),
        "diffusers, batched by hand": batched,
        "diffusers, compiled": sequential("load_compiled"),
        "notebooks": sequential("load_like_notebooks", autocast=True),
        "notebooks, reloading": sequential("load_like_notebooks", autocast=True, reloading=True),
    }
