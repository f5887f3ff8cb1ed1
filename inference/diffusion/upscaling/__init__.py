"""Upscaling of images with super-resolution models, tile by tile."""
