"""Models, adapters and compiled code, cached on the local disk."""
