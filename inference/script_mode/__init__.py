"""The engine inside AWS's stock inference containers."""
