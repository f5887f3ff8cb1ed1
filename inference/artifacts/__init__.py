"""Models, adapters and compiled code on local disk."""
