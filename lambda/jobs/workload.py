"""Amounts of work, for estimates of processing times."""

from contract.generation import Generation


def workload_of(generation: Generation) -> str:
    """The kind of work: jobs of one kind take about the same time for each unit."""
    size = f"{generation.width}x{generation.height}" if generation.width else "input"
    passes = [name for name in ("hires", "upscale") if getattr(generation, name) is not None]
    return "/".join([generation.model, size, *passes])


def units_of(generation: Generation) -> int:
    """The amount of work, in steps of an image."""
    return generation.steps * generation.count
