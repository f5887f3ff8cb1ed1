"""Inpainting and outpainting on the page."""

import io
import re
from typing import Any

import httpx
import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Page, Route, expect

from local.stack import LocalStack
from tests.e2e.client import finish, submit
from tests.e2e.web.accessibility import check_accessibility
from tests.e2e.web.browser_errors import BrowserErrors
from tests.e2e.web.conftest import NewPage
from tests.e2e.web.images import (
    SIZE,
    choose_image,
    encoded,
    open_mask_editor,
    paint,
    pattern,
    stored_mask,
    use_mask,
)
from tests.e2e.web.views import PHONE, image_of, open_view, submit_prompt
from tests.waiting import wait_until

RIGHT_HALF = [(0.75, y / 10) for y in range(11)]
"""A stroke that a brush of half the image's width makes an area of."""


def newest_job(http: httpx.Client) -> Any:
    """The newest job, once it has finished."""
    return finish(http, http.get("/v1/jobs", params={"limit": 1}).json()["data"][0])


def image_file(job: Any) -> Image.Image:
    """The first image of a job."""
    return Image.open(io.BytesIO(httpx.get(job["images"][0]["url"]).content)).convert("RGB")


def set_brush(page: Page, presses: int) -> None:
    """Makes the brush larger by its key."""
    for _ in range(presses):
        page.keyboard.press("]")


def test_the_painted_half_changes_and_the_rest_is_equal_to_the_byte(page: Page, http: httpx.Client) -> None:
    original = pattern()
    open_view(page)
    choose_image(page, encoded(original))
    open_mask_editor(page)
    set_brush(page, 30)
    paint(page, RIGHT_HALF)
    use_mask(page)
    page.get_by_role("spinbutton", name="Denoising strength").fill("1")
    submit_prompt(page, "a red circle in the painted half")
    image_of(page, "a red circle in the painted half")
    mask = stored_mask(page)
    assert mask is not None
    assert (mask.mode, mask.size) == ("1", SIZE)
    kept = ImageChops.invert(mask.convert("L"))
    assert 0.4 < kept.histogram()[255] / (SIZE[0] * SIZE[1]) < 0.6
    difference = ImageChops.difference(original, image_file(newest_job(http))).convert("L")
    assert ImageChops.multiply(difference, kept).getbbox() is None
    changed = sum(difference.histogram()[1:])
    assert changed > 0.8 * mask.convert("L").histogram()[255]


def test_an_image_of_a_job_becomes_the_input_without_an_upload_and_gets_a_mask(
    page: Page, http: httpx.Client
) -> None:
    job = finish(http, submit(http, prompt="a red circle to paint on"))
    uploads: list[str] = []
    page.on("request", lambda request: uploads.append(request.url) if "/v1/uploads" in request.url else None)
    open_view(page)
    image_of(page, "a red circle to paint on").click()
    page.get_by_role("button", name="As input").click()
    open_mask_editor(page)
    paint(page, [(0.5, 0.5)])
    use_mask(page)
    submit_prompt(page, "a blue star over the circle")
    image_of(page, "a blue star over the circle")
    request = newest_job(http)["request"]
    assert request["input_image"] == job["images"][0]["s3_uri"]
    submit_prompt(page, "a green star over the circle")
    image_of(page, "a green star over the circle")
    assert newest_job(http)["request"]["mask_image"] == request["mask_image"]
    assert len(uploads) == 1  # the mask


def test_a_mask_without_paint_is_refused(page: Page) -> None:
    open_view(page)
    choose_image(page, encoded(pattern()))
    open_mask_editor(page)
    page.get_by_role("button", name="Use the mask").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is painted")
    paint(page, [(0.5, 0.5)])
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Use the mask").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is painted")


def test_canceling_keeps_the_former_mask(page: Page) -> None:
    open_view(page)
    choose_image(page, encoded(pattern()))
    open_mask_editor(page)
    paint(page, [(0.5, 0.5)])
    use_mask(page)
    former = wait_until(lambda: stored_mask(page), "the mask is kept")
    open_mask_editor(page)
    page.get_by_role("button", name="Invert", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("alert")).to_contain_text("not used yet")
    page.get_by_role("button", name="Cancel", exact=True).click()
    present = stored_mask(page)
    assert present is not None
    assert present.tobytes() == former.tobytes()


def test_the_mask_is_painted_with_the_keyboard_alone(page: Page) -> None:
    open_view(page)
    choose_image(page, encoded(pattern()))
    open_mask_editor(page)
    page.get_by_role("application").focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    expect(page.get_by_text("not painted", exact=False)).to_have_count(1)
    page.keyboard.down(" ")
    page.keyboard.press("ArrowUp")
    page.keyboard.up(" ")
    page.get_by_role("button", name="Use the mask").press("Enter")
    mask = wait_until(lambda: stored_mask(page), "the mask is kept")
    left, top, right, bottom = mask.getbbox()
    assert right <= 64
    assert bottom <= 70
    assert bottom - top > right - left


def test_the_mask_survives_a_reload_while_it_is_painted_and_when_it_is_used(page: Page) -> None:
    open_view(page)
    choose_image(page, encoded(pattern()))
    open_mask_editor(page)
    paint(page, [(0.2, 0.2), (0.8, 0.2)])
    expect(page.get_by_text("% of the image is painted")).not_to_contain_text("0 %")
    painted = page.get_by_text("% of the image is painted").inner_text()
    stored = (
        "() => new Promise(resolve => { const opened = indexedDB.open('images'); opened.onsuccess = () => { "
    )
    stored += "const all = opened.result.transaction('images').objectStore('images').getAllKeys(); "
    stored += "all.onsuccess = () => { opened.result.close(); resolve(all.result); }; }; })"
    wait_until(lambda: "working-mask" in page.evaluate(stored), "the mask that is painted is kept")
    page.reload()
    open_mask_editor(page)
    expect(page.get_by_text("% of the image is painted")).to_have_text(painted)
    use_mask(page)
    wait_until(lambda: stored_mask(page), "the mask is kept")
    page.reload()
    expect(page.locator(".thumbnail-mask")).to_be_visible()


def test_a_lost_connection_loses_neither_the_prompt_nor_the_mask(
    page: Page, http: httpx.Client, browser_errors: BrowserErrors
) -> None:
    open_view(page)
    choose_image(page, encoded(pattern()))
    open_mask_editor(page)
    paint(page, [(0.5, 0.5)])
    use_mask(page)
    browser_errors.expect("net::ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    submit_prompt(page, "a circle after an outage")
    expect(page.locator("form").get_by_role("alert")).to_contain_text("cannot be reached")
    expect(page.locator(".thumbnail-mask")).to_be_visible()
    expect(page.get_by_role("textbox", name="Prompt").first).to_have_value("a circle after an outage")
    page.context.set_offline(False)
    page.get_by_role("button", name="Generate", exact=True).click()
    image_of(page, "a circle after an outage")
    assert newest_job(http)["request"]["mask_image"] is not None


def test_an_upload_can_be_canceled(page: Page, stack: LocalStack) -> None:
    held: list[Route] = []
    open_view(page)
    choose_image(page, encoded(pattern()))
    page.route(f"**/{stack.address.data_bucket}*", lambda route: held.append(route))
    submit_prompt(page, "a circle that is not submitted")
    page.get_by_role("button", name="Cancel the upload").click()
    expect(page.get_by_role("progressbar", name="Uploading")).to_have_count(0)
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_enabled()
    expect(page.locator(".thumbnail")).to_be_visible()
    page.unroute_all()


def test_a_mask_has_the_orientation_that_the_image_is_shown_in(page: Page, http: httpx.Client) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    open_view(page)
    choose_image(page, encoded(pattern((96, 160)), "JPEG", exif=exif, quality=95), "turned.jpg")
    expect(page.get_by_text(re.compile("160 . 96 px"))).to_be_visible()
    open_mask_editor(page)
    set_brush(page, 30)
    paint(page, [(0.95, y / 10) for y in range(11)])
    use_mask(page)
    mask = wait_until(lambda: stored_mask(page), "the mask is kept")
    assert mask.size == (160, 96)
    assert mask.getbbox()[0] > 40
    submit_prompt(page, "a turned image")
    image_of(page, "a turned image")
    assert newest_job(http)["status"] == "succeeded"


def test_outpainting_extends_the_image(page: Page, http: httpx.Client) -> None:
    open_view(page)
    choose_image(page, encoded(pattern()))
    page.get_by_role("button", name="Extend the borders").click()
    page.get_by_role("spinbutton", name="Left").fill("60")
    page.get_by_role("spinbutton", name="Left").press("Tab")
    expect(page.get_by_text(re.compile("New size: 192 . 128 px"))).to_be_visible()
    handle = page.locator(".borders-bottom").bounding_box()
    assert handle is not None
    center = (handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.move(*center)
    page.mouse.down()
    page.mouse.move(center[0], center[1] + 30, steps=3)
    page.mouse.up()
    page.get_by_role("button", name="Use the borders").click()
    submit_prompt(page, "an extended image")
    image_of(page, "an extended image")
    job = newest_job(http)
    borders = job["request"]["outpaint"]
    assert borders["left"] == 64
    assert borders["bottom"] > 0
    assert image_file(job).size == (192, 128 + borders["bottom"])


def test_borders_outside_the_models_limits_are_explained(page: Page) -> None:
    open_view(page)
    choose_image(page, encoded(pattern()))
    page.get_by_role("button", name="Extend the borders").click()
    page.get_by_role("spinbutton", name="Top").fill("2000")
    page.get_by_role("spinbutton", name="Top").press("Tab")
    expect(page.get_by_role("alert")).to_contain_text("between 64 and 512 pixels")
    expect(page.get_by_role("button", name="Use the borders")).to_be_disabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("options", [{}, PHONE | {"locale": "zh-CN"}], ids=["wide", "phone"])
def test_axe_finds_nothing_in_the_editors(scheme: str, options: dict[str, Any], new_page: NewPage) -> None:
    page = new_page(color_scheme=scheme, **options)
    open_view(page)
    choose_image(page, encoded(pattern()))
    open_mask_editor(page)
    paint(page, [(0.5, 0.5)])
    check_accessibility(page)
    use_mask(page)
    check_accessibility(page)
    page.locator(".image-actions button").last.click()
    check_accessibility(page)


def test_two_fingers_zoom_and_do_not_paint(new_page: NewPage) -> None:
    page = new_page(**PHONE)
    open_view(page)
    choose_image(page, encoded(pattern()))
    open_mask_editor(page)
    box = page.locator(".mask-viewport").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *fingers: tuple[float, float]) -> None:
        points = [{"x": x + dx, "y": y + dy, "id": index} for index, (dx, dy) in enumerate(fingers)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before = page.locator(".mask-content").bounding_box()
    touch("touchStart", (-40, 0))
    touch("touchMove", (-30, 0))
    touch("touchStart", (-30, 0), (40, 0))
    touch("touchMove", (-100, 0), (110, 0))
    touch("touchEnd")
    after = page.locator(".mask-content").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > 2 * before["width"]
    expect(page.get_by_text("0 % of the image is painted")).to_be_visible()
    touch("touchStart", (0, 0))
    touch("touchMove", (30, 30))
    touch("touchEnd")
    expect(page.get_by_text("0 % of the image is painted")).to_have_count(0)
