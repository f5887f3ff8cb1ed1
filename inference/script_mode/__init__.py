"""The engine in AWS's stock inference containers."""
