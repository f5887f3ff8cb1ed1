"""Output images: safety check, watermark, metadata, encoding."""
