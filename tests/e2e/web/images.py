"""Images in the form of the page, and the mask editor."""

import base64
import io
import re
from collections.abc import Iterable
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect

SIZE = (128, 128)
"""The default size of the demo model: images of it are not resized."""

_STORED = """
(key) => new Promise((resolve, reject) => {
  const opened = indexedDB.open("images");
  opened.onerror = () => reject(opened.error);
  opened.onsuccess = () => {
    const request = opened.result.transaction("images").objectStore("images").get(key);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      opened.result.close();
      if (request.result === undefined) return resolve(null);
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.readAsDataURL(request.result.blob);
    };
  };
})
"""
_DROP = """
(target, { name, type, content }) => {
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type }));
  for (const kind of ["dragover", "drop"]) {
    target.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
  }
}
"""


def pattern(size: tuple[int, int] = SIZE) -> Image.Image:
    """An image whose pixels all differ from their neighbours."""
    image = Image.new("RGB", size)
    image.putdata([(x * 5 % 256, y * 7 % 256, (x * y) % 256) for y in range(size[1]) for x in range(size[0])])
    return image


def encoded(image: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    """The image as a file."""
    buffer = io.BytesIO()
    image.save(buffer, format=image_format, **options)
    return buffer.getvalue()


def choose_file(page: Page, content: bytes, name: str = "pattern.png") -> None:
    """Chooses a file for the form's input image."""
    page.get_by_role("group", name=re.compile("^(Input image|输入图片)$")).locator("input").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )


def choose_image(page: Page, content: bytes, name: str = "pattern.png") -> None:
    """Chooses a file for the form's input image, and waits until it is shown."""
    choose_file(page, content, name)
    expect(page.locator(".thumbnail").get_by_role("img", name=name)).to_be_visible()


def drop_file(page: Page, content: bytes, name: str, media_type: str) -> None:
    """Drops a file on the form."""
    argument = {"name": name, "type": media_type, "content": base64.b64encode(content).decode()}
    page.locator("form").evaluate(_DROP, argument)


def open_mask_editor(page: Page) -> None:
    """Opens the mask editor and waits until it shows the image."""
    page.get_by_role("button", name=re.compile("^(Paint a mask|Edit the mask|绘制蒙版|编辑蒙版)$")).click()
    expect(page.locator(".mask-content img")).to_have_js_property("complete", True)


def paint(page: Page, points: Iterable[tuple[float, float]]) -> None:
    """Paints a stroke in the mask editor through points, in shares of the image's width and height."""
    box = page.locator(".mask-content").bounding_box()
    assert box is not None
    first, *others = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in points]
    page.mouse.move(*first)
    page.mouse.down()
    for each in others:
        page.mouse.move(*each, steps=4)
    page.mouse.up()


def use_mask(page: Page) -> None:
    """Closes the mask editor with its mask."""
    page.get_by_role("button", name=re.compile("^(Use the mask|使用蒙版)$")).click()
    expect(page.locator(".thumbnail-mask")).to_be_visible()


def stored_mask(page: Page) -> Image.Image | None:
    """The form's mask, as the page keeps it in the browser: black and white."""
    url = page.evaluate(_STORED, "mask")
    return None if url is None else Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
