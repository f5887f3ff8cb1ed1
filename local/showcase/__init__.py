"""A contact sheet with a request for every feature."""
