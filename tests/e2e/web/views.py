"""The views of the page, as a visitor finds them."""

import re
from typing import Literal

from playwright.sync_api import Locator, Page, expect

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
"""The options of a page on a phone."""

View = Literal["create", "compare", "gallery"]


def open_view(page: Page, view: View = "create") -> None:
    """Opens a view by its address and waits until it is shown."""
    page.goto(f"/#/{view}")
    expect(page.locator(f"nav a[href='#/{view}'][aria-current=page]")).to_be_visible()
    expect(page.locator(".loading")).to_have_count(0)


def submit_prompt(page: Page, prompt: str) -> None:
    """Enters a prompt in the form and submits it with the keyboard."""
    field = page.get_by_role("textbox", name=re.compile("^(Prompt|提示词)"))
    field.fill(prompt)
    field.press("Control+Enter")


def image_of(page: Page, prompt: str) -> Locator:
    """The newest image of a prompt; waits until the browser has decoded it."""
    image = page.get_by_role("img", name=prompt).first
    expect(image).to_be_visible()
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 0
    return image
