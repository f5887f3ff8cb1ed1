"""HTTPS requests to addresses that callers name, limited to the public internet."""
