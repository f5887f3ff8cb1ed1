"""Models, adapters and compiled code, kept on local disk."""
