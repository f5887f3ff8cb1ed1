"""Benchmarks: this engine and other ways to serve, with the same weights."""
