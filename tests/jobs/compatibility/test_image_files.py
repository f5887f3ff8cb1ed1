"""Media types of image files."""

import base64
import io

import pytest
from PIL import Image

from jobs.compatibility.image_files import media_type_of, with_media_type


def file_of(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_the_media_type_of_a_file_is_that_of_its_content(kind: str) -> None:
    assert media_type_of(file_of(kind)) == f"image/{kind.lower()}"


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x18ftypmif1", "image/heif"),
        (b"%PDF-1.7", None),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"\x89PN", None),
        (b"", None),
    ],
)
def test_containers_are_told_apart_by_their_brand(head: bytes, media_type: str | None) -> None:
    assert media_type_of(head) == media_type


def test_a_data_url_without_the_type_of_an_image_takes_that_of_its_content() -> None:
    content = base64.b64encode(file_of("PNG")).decode()
    url = f"data:application/octet-stream;base64,{content}"
    assert with_media_type(url) == f"data:image/png;base64,{content}"


@pytest.mark.parametrize(
    "url",
    [
        "data:image/webp;base64,iVBORw0KGgo=",
        "data:application/octet-stream;base64,AAAA",
        "data:application/octet-stream;base64,*",
        "data:application/octet-stream,iVBORw0KGgo=",
        "https://example.com/image",
        "",
    ],
)
def test_other_texts_remain_as_they_are(url: str) -> None:
    assert with_media_type(url) == url
