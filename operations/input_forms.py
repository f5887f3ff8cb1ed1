"""The files and masks of input images, for docs/compatibility.md."""

from collections.abc import Iterator

from contract.images import IMAGE_MEDIA_TYPES

INTRODUCTION = """\
`input_image`, `mask_image` and the `image` of a ControlNet. The first frame of an animation is used, the
EXIF orientation is applied, ICC profiles are converted to sRGB, and samples of 16 and 32 bits are scaled to
8. Other files (SVG, PDF, raw files of cameras, PSD, JPEG XL) are refused at their field.
"""

MASKS = (
    ("white on black", "white is regenerated; gray counts as white from 128 of 255 on"),
    ("transparent areas", "opaque is regenerated, as in AUTOMATIC1111; colours do not matter"),
    ("less than 1 % of transparent pixels", "brightness decides, and those pixels are kept"),
    ("an alpha channel with few transparent pixels, or none", "`mask_alpha`: the alpha channel decides"),
    ("AUTOMATIC1111's `Inpaint not masked`", "`mask_invert`"),
    ("AUTOMATIC1111's `Only masked`, diffusers' `padding_mask_crop`", "`mask_padding`"),
    ("another size than the image", "resized; another aspect ratio is refused at `#/mask_image`"),
)
"""Kinds of masks, and their meaning."""


def file_formats() -> Iterator[tuple[str, str]]:
    """The formats that the container decodes, with their media types for data: URLs and uploads."""
    from PIL import Image

    from inference.input.decoding import FORMATS

    Image.init()  # registers the media types
    for name in FORMATS:
        media_types = {Image.MIME[name]} | ({"image/heic"} if name == "HEIF" else set())
        yield name, ", ".join(f"`{each}`" for each in IMAGE_MEDIA_TYPES if each in media_types)
