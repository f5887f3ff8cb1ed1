"""Files that the page uploads."""

import base64
import json
from typing import Any

import pytest

from contract.generation import InvalidRequestError
from jobs.compatibility.quick_kit.upload import parse_upload

JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
DATA = base64.b64encode(JPEG).decode()


def test_the_type_of_a_file_is_that_of_its_content() -> None:
    assert parse_upload(json.dumps({"imageName": "a.png", "imageData": DATA})) == (JPEG, "image/jpeg")


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"imageName": "a.png"}, "#/imageData"),
        ({"imageName": "a.png", "imageData": ""}, "#/imageData"),
        ({"imageName": "a.png", "imageData": "*"}, "#/imageData"),
        ({"imageName": "a.html", "imageData": base64.b64encode(b"<html>").decode()}, "#/imageData"),
        ({"imageData": DATA}, "#/imageName"),
        ({"imageName": "a.png", "imageData": DATA, "path": "../"}, "#/path"),
    ],
)
def test_what_is_no_image_is_refused(document: Any, pointer: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_upload(json.dumps(document))
    assert [each.pointer for each in caught.value.errors] == [pointer]
