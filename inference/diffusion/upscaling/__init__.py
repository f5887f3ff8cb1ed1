"""Upscaling models, tile by tile."""
