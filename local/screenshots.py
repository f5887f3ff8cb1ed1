"""Screenshots of the web page: every view with images of the demo model."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect
from rich.console import Console

from local.browser import chromium
from local.client import JobsClient
from local.stack import LocalStack

_WAIT_MS = 60_000
_WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
_LONG: dict[str, Any] = {"viewport": {"width": 1280, "height": 1600}}
_PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
_DARK: dict[str, Any] = {"color_scheme": "dark"}
_CHINESE: dict[str, Any] = {"locale": "zh-CN"}

_JOBS: tuple[dict[str, Any], ...] = (
    {"prompt": "a big yellow star on a blue background", "seed": 7, "count": 4, "tags": ["favorite"]},
    {"prompt": "a small red circle on a white background", "seed": 11, "count": 2},
    {"prompt": "a big green triangle on a yellow background", "seed": 3, "count": 3},
    {"prompt": "a purple heart on a green background", "seed": 5, "count": 2, "tags": ["favorite"]},
    {"prompt": "a big orange square on a purple background", "seed": 21, "count": 4},
    {"prompt": "a small white star on a red background", "seed": 2, "count": 3},
)


def _nothing(_page: Page) -> None:
    """The view as it opens."""


@dataclass(frozen=True, kw_only=True)
class Screenshot:
    """A screenshot of the page.

    Attributes:
        name: of the file, without its ending.
        view: the fragment of its address, without `#/`.
        options: of Playwright's `Browser.new_context`.
        prepare: what a visitor does before the screenshot is taken.
        has_running_job: the page then continues to load.
    """

    name: str
    view: str
    options: dict[str, Any] = field(default_factory=lambda: _WIDE)
    prepare: Callable[[Page], None] = _nothing
    has_running_job: bool = False


def _enter_prompt(page: Page) -> None:
    page.get_by_role("textbox").first.fill("a big yellow star on a blue background")


def _unfold(page: Page) -> None:
    _enter_prompt(page)
    folded = page.locator("form details:not([open]) > summary")
    while folded.count() > 0:
        folded.first.click()


def _submit(page: Page) -> None:
    _enter_prompt(page)
    page.get_by_role("spinbutton", name="Images").fill("4")
    page.keyboard.press("Control+Enter")
    expect(page.locator("img.preview").first).to_be_visible(timeout=_WAIT_MS)


def _generate_grid(page: Page) -> None:
    page.get_by_role("textbox", name="Prompt", exact=True).fill(str(_JOBS[0]["prompt"]))
    page.get_by_label("Columns (X)", exact=True).select_option("steps")
    page.get_by_label("Values of the Columns (X)").fill("1, 2, 5, 20")
    page.get_by_label("Rows (Y)", exact=True).select_option("seed")
    page.get_by_label("Values of the Rows (Y)").fill("5, 7, 21")
    page.get_by_role("button", name="Generate 12 images").click()
    expect(page.get_by_role("table").get_by_role("img")).to_have_count(12, timeout=_WAIT_MS)


def _open_image(page: Page) -> None:
    page.locator("main img").first.click()
    expect(page.locator("dialog img")).to_be_visible(timeout=_WAIT_MS)


def _take_as_input(page: Page) -> None:
    _open_image(page)
    page.get_by_role("button", name="As input").click()


def _paint_mask(page: Page) -> None:
    _take_as_input(page)
    page.get_by_role("button", name="Paint a mask").click()
    expect(page.locator(".mask-content img")).to_be_visible(timeout=_WAIT_MS)
    box = page.locator(".mask-content").evaluate("element => element.getBoundingClientRect().toJSON()")
    stroke = [(0.35, 0.4), (0.5, 0.3), (0.65, 0.4), (0.6, 0.65), (0.4, 0.65), (0.35, 0.4), (0.55, 0.5)]
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in stroke]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=5)
    page.mouse.up()


def _extend_borders(page: Page) -> None:
    _take_as_input(page)
    page.get_by_role("button", name="Extend the borders").click()
    for side in ("Left", "Right"):
        page.get_by_role("spinbutton", name=side).fill("64")
        page.get_by_role("spinbutton", name=side).press("Tab")


def _sign_out(page: Page) -> None:
    page.route("**/config.json", lambda route: route.fulfill(json={"auth": {"type": "api_key"}}))
    page.reload()


SCREENSHOTS = (
    Screenshot(name="create", view="create", prepare=_enter_prompt),
    Screenshot(name="create-dark", view="create", options=_WIDE | _DARK, prepare=_enter_prompt),
    Screenshot(name="create-phone", view="create", options=_PHONE | _CHINESE, prepare=_enter_prompt),
    Screenshot(name="create-more", view="create", options=_LONG, prepare=_unfold),
    Screenshot(name="gallery", view="gallery"),
    Screenshot(name="gallery-phone", view="gallery", options=_PHONE | _DARK),
    Screenshot(name="image", view="gallery", prepare=_open_image),
    Screenshot(name="image-phone", view="gallery", options=_PHONE, prepare=_open_image),
    Screenshot(name="mask", view="gallery", prepare=_paint_mask),
    Screenshot(name="mask-phone", view="gallery", options=_PHONE | _DARK, prepare=_paint_mask),
    Screenshot(name="borders", view="gallery", prepare=_extend_borders),
    Screenshot(name="create-running", view="create", prepare=_submit, has_running_job=True),
    Screenshot(name="compare", view="compare", prepare=_generate_grid),
    Screenshot(name="sign-in", view="create", options=_PHONE, prepare=_sign_out),
)


def run(stack: LocalStack, *, output: Path, console: Console) -> None:
    """Generates images and saves the screenshots as `page-NAME.png`.

    Raises:
        BrowserMissingError: no Chromium is installed.
        JobFailedError: a job was refused, failed or timed out.
    """
    with chromium() as browser:
        _generate(stack, console)
        output.mkdir(parents=True, exist_ok=True)
        for screenshot in SCREENSHOTS:
            path = output / f"page-{screenshot.name}.png"
            _take(browser, stack.address.api_url, screenshot, path)
            console.print(f"{path}", soft_wrap=True)


def _generate(stack: LocalStack, console: Console) -> None:
    address = stack.address
    with JobsClient(address.api_url, address.api_key, tls=stack.aws.ssl_context()) as client:
        for job in [client.submit({"steps": 20} | request) for request in _JOBS]:
            *_, finished = client.poll(job)
            console.print(f"  {finished['request']['prompt']}")


def _take(browser: Browser, url: str, screenshot: Screenshot, path: Path) -> None:
    options: dict[str, Any] = {
        "base_url": url,
        "locale": "en-US",
        "reduced_motion": "reduce",
    } | screenshot.options
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(_WAIT_MS)
    page.goto(f"/#/{screenshot.view}")
    expect(page.locator("main")).to_be_visible(timeout=_WAIT_MS)
    expect(page.locator(".loading")).to_have_count(0, timeout=_WAIT_MS)
    screenshot.prepare(page)
    if not screenshot.has_running_job:
        page.wait_for_load_state("networkidle")  # the images
    _save(page.screenshot(), path)
    context.close()


def _save(screenshot: bytes, path: Path) -> None:
    """Saves it with a palette, which makes the file half as large."""
    with Image.open(io.BytesIO(screenshot)) as image:
        image.convert("RGB").quantize(dither=Image.Dither.NONE).save(path, optimize=True)
