"""The benchmark of the HTTP API and of everything around the container."""
