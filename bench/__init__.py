"""Benchmarks of the engine against diffusers pipelines, with the same weights in one run."""
