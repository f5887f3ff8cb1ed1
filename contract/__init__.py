"""The contract of API, container and infrastructure: requests, results, keys, environment."""
