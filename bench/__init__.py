"""Benchmarks: the engine beside its peers, on the same weights, in one run."""
