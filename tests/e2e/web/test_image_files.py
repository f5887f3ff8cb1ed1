"""Files that are dropped on the page, pasted or chosen: images, their parameters, and bad ones."""

import base64
import io
import re

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.client import finish, submit
from tests.e2e.web.accessibility import check_accessibility
from tests.e2e.web.images import choose_file, choose_image, drop_file, encoded, pattern
from tests.e2e.web.views import image_of, open_view, submit_prompt

PASTE = """
(content) => {
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], "image.png", { type: "image/png" }));
  document.activeElement.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }),
  );
}
"""
A1111 = (
    "a cat (in a hat:1.2), <lora:moon:0.5>\nNegative prompt: blurry\n"
    "Steps: 12, Sampler: DPM++ 2M Karras, CFG scale: 5.5, Seed: 77, Size: 192x128, Model: other, Clip skip: 2"
)


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_a_dropped_image_of_this_kit_brings_its_parameters_back(
    output_format: str, page: Page, http: httpx.Client
) -> None:
    request = {
        "prompt": f"a red circle as {output_format}",
        "steps": 7,
        "seed": 4711,
        "negative_prompt": "blue",
    }
    job = finish(http, submit(http, **request, output_format=output_format))
    open_view(page)
    content = httpx.get(job["images"][0]["url"]).content
    drop_file(page, content, f"circle.{output_format}", f"image/{output_format}")
    expect(page.get_by_role("dialog")).to_contain_text(request["prompt"])
    check_accessibility(page)
    page.get_by_role("button", name="Its parameters").click()
    expect(page.get_by_role("textbox", name="Prompt").first).to_have_value(request["prompt"])
    expect(page.locator(".thumbnail")).to_have_count(0)
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_role("img", name=request["prompt"])).to_have_count(2)
    again = finish(http, http.get("/v1/jobs", params={"limit": 1}).json()["data"][0])
    assert again["id"] != job["id"]
    for name in ("prompt", "steps", "seed", "negative_prompt", "output_format"):
        assert again["request"][name] == job["request"][name]


def test_an_image_of_automatic1111_fills_the_form_or_becomes_the_input(page: Page) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + A1111.encode("utf-16-be")
    content = encoded(pattern(), "JPEG", exif=exif)
    open_view(page)
    drop_file(page, content, "cat.jpg", "image/jpeg")
    expect(page.get_by_role("dialog")).to_contain_text("Not available here, and left out: Model: other")
    page.get_by_role("button", name="Both").click()
    expect(page.get_by_role("textbox", name="Prompt").first).to_have_value(A1111.split("\n")[0])
    expect(page.locator(".thumbnail").get_by_role("img", name="cat.jpg")).to_be_visible()
    draft = page.evaluate("() => JSON.parse(localStorage.draft)")
    assert {"steps": 12, "seed": 77, "guidance_scale": 5.5, "clip_skip": 2}.items() <= draft.items()


def test_a_pasted_image_is_the_input_image(page: Page) -> None:
    open_view(page)
    page.get_by_role("textbox", name="Prompt").first.focus()
    page.evaluate(PASTE, base64.b64encode(encoded(pattern())).decode())
    expect(page.locator(".thumbnail").get_by_role("img", name="image.png")).to_be_visible()
    submit_prompt(page, "from a pasted image")
    image_of(page, "from a pasted image")


def test_a_control_image_survives_a_reload(page: Page, http: httpx.Client) -> None:
    open_view(page)
    page.locator("summary", has_text="More").click()
    page.locator("summary", has_text="ControlNet").click()
    page.get_by_role("combobox", name="Add: ControlNet").fill("canny")
    page.get_by_role("combobox", name="Add: ControlNet").press("Enter")
    control_image = page.get_by_role("group", name="Control image")
    file = {"name": "edges.png", "mimeType": "image/png", "buffer": encoded(pattern())}
    control_image.locator("input").set_input_files(file)
    expect(control_image.get_by_role("img", name="edges.png")).to_be_visible()
    page.reload()
    expect(control_image.get_by_role("img", name="edges.png")).to_be_visible()
    submit_prompt(page, "from a control image")
    image_of(page, "from a control image")
    job = http.get("/v1/jobs", params={"limit": 1}).json()["data"][0]
    assert [each["type"] for each in job["request"]["controlnets"]] == ["canny"]


def _bomb() -> bytes:
    """A small file of 8,000 x 7,000 pixels."""
    buffer = io.BytesIO()
    Image.new("1", (8000, 7000)).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"this is a text", "is not an image. Choose a PNG"),
        (encoded(pattern())[:40], "is damaged"),
        (encoded(pattern()) + bytes(26 * 1024 * 1024), "at most 25 MiB are accepted"),
        (_bomb(), "has 8000 . 7000 pixels; at most 50 megapixels"),
    ],
    ids=["empty", "text", "damaged", "large", "pixels"],
)
def test_a_bad_file_is_explained_and_nothing_is_lost(content: bytes, sentence: str, page: Page) -> None:
    open_view(page)
    page.get_by_role("textbox", name="Prompt").first.fill("a prompt that stays")
    choose_image(page, encoded(pattern()), "good.png")
    choose_file(page, content, "bad.png")
    expect(page.locator(".notices")).to_contain_text(re.compile(sentence))
    expect(page.locator(".thumbnail").get_by_role("img", name="good.png")).to_be_visible()
    expect(page.get_by_role("textbox", name="Prompt").first).to_have_value("a prompt that stays")


def test_an_image_that_the_browser_cannot_show_is_used_all_the_same(page: Page, http: httpx.Client) -> None:
    content = encoded(pattern(), "TIFF")
    open_view(page)
    choose_file(page, content, "scan.tiff")
    expect(page.get_by_text("cannot show the image")).to_be_visible()
    expect(page.get_by_role("button", name="Paint a mask")).to_have_count(0)
    submit_prompt(page, "from a scan")
    image_of(page, "from a scan")
