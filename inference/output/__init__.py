"""Postprocessing of generated images: NSFW filter, watermark, metadata and encoding."""
