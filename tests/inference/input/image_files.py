"""Images and encoded image files."""

import base64
import io
import struct
from typing import Any

import numpy as np
from PIL import Image


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def data_url(image: Image.Image | bytes) -> str:
    data = image if isinstance(image, bytes) else encoded(image)
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def noise(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """Random RGB pixels."""
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values)


def rgb_profile(red: tuple[float, float, float]) -> bytes:
    """An ICC profile with linear transfer curves, sRGB's green and blue, and red at these XYZ coordinates."""

    def fixed(*numbers: float) -> bytes:
        return struct.pack(f">{len(numbers)}i", *(round(number * 65_536) for number in numbers))

    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(12 + 67)
    tags = {
        b"desc": text + bytes(-len(text) % 4),
        b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1.0, 0.8249),
        b"rXYZ": b"XYZ \0\0\0\0" + fixed(*red),
        b"gXYZ": b"XYZ \0\0\0\0" + fixed(0.3851, 0.7169, 0.0971),
        b"bXYZ": b"XYZ \0\0\0\0" + fixed(0.1431, 0.0606, 0.7141),
        b"rTRC": b"curv\0\0\0\0\0\0\0\0",
        b"gTRC": b"curv\0\0\0\0\0\0\0\0",
        b"bTRC": b"curv\0\0\0\0\0\0\0\0",
    }
    at, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content
    header = (
        struct.pack(">I4sI", at + len(body), b"lcms", 0x0210_0000) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    )
    header += bytes(28) + fixed(0.9642, 1.0, 0.8249)
    return header.ljust(128, b"\0") + table + body
