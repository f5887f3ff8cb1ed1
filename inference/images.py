"""Pictures out: RGB to PNG."""

import io

from PIL import Image


def encode_png(image: Image.Image) -> bytes:
    """The picture as a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
