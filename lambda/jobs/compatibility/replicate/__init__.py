"""Replicate's HTTP API: predictions, files and models, as the clients `replicate` of PyPI and npm call it."""
