"""Adapters of the services' ports to AWS."""
