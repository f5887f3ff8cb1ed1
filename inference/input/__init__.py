"""Input images: fetching, decoding, resizing, masks, outpainting."""
