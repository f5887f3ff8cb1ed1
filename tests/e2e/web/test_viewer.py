"""The open image: its parameters and what can be done with it."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.web.accessibility import check_accessibility
from tests.e2e.web.browser_errors import BrowserErrors
from tests.e2e.web.conftest import NewPage
from tests.e2e.web.job_lists import Job, finished_job, serve_jobs
from tests.e2e.web.views import PHONE, image_of, open_view

PROMPT = "a yellow star for the viewer"


@pytest.fixture(scope="module")
def job(http: httpx.Client) -> Job:
    """A job with two images."""
    return finished_job(http, prompt=PROMPT, negative_prompt="blurry", steps=12, count=2, seed=41)


def viewer_of(page: Page) -> Locator:
    """The open image."""
    return page.get_by_role("dialog", name="Image")


def open_image(page: Page, job: Job, index: int = 0) -> Locator:
    """Opens an image by its address."""
    page.goto(f"/#/gallery/image/{job['id']}/{index}")
    expect(viewer_of(page).get_by_role("img", name=job["request"]["prompt"])).to_be_visible()
    return viewer_of(page)


def test_images_are_opened_changed_and_closed_with_the_keyboard(page: Page, job: Job) -> None:
    serve_jobs(page, job, 3)
    open_view(page, "gallery")
    image_of(page, "image number 0")
    page.locator(".tile-open").first.focus()
    page.keyboard.press("Enter")
    expect(viewer_of(page).get_by_role("img", name="image number 0")).to_be_visible()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(viewer_of(page).get_by_role("img", name="image number 1")).to_be_visible()
    page.keyboard.press("z")
    expect(viewer_of(page).get_by_role("button", name="Original size")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.keyboard.press("Escape")
    expect(viewer_of(page)).to_have_count(0)
    expect(page).to_have_url(re.compile("#/gallery$"))
    expect(page.locator(".tile-open:focus")).to_have_accessible_name("image number 1")


def submit(page: Page) -> Any:
    """Submits the form, whose prompt has the focus; returns the request as the API has understood it."""
    with page.expect_response(lambda response: response.request.method == "POST") as submitted:
        page.keyboard.press("Control+Enter")
    return submitted.value.json()["request"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_image_shows_its_parameters(new_page: NewPage, job: Job, scheme: str) -> None:
    page = new_page(color_scheme=scheme, **PHONE)
    viewer = open_image(page, job, 1)
    for text in (PROMPT, "blurry", "42", "Euler a", "12"):
        expect(viewer.get_by_text(text, exact=True)).to_be_visible()
    check_accessibility(page)


def test_use_all_fills_the_form_with_the_seed_of_the_image(page: Page, job: Job) -> None:
    open_image(page, job, 1).get_by_role("button", name="Use all").click()
    prompt = page.get_by_role("textbox", name=re.compile("^Prompt"))
    expect(prompt).to_have_value(PROMPT)
    expect(prompt).to_be_focused()
    request = submit(page)
    assert [request[name] for name in ("seed", "count", "negative_prompt", "steps")] == [42, 1, "blurry", 12]


def test_without_the_seed_images_are_random(page: Page, job: Job) -> None:
    open_image(page, job).get_by_role("button", name="Use without the seed").click()
    expect(page.get_by_role("textbox", name=re.compile("^Prompt"))).to_have_value(PROMPT)
    request = submit(page)
    assert request["seed"] not in job["seeds"]
    assert request["steps"] == 12


def test_an_image_becomes_the_input_of_the_next(page: Page, job: Job) -> None:
    open_image(page, job).get_by_role("button", name="As input").click()
    expect(page.get_by_text("0.png")).to_be_visible()
    page.get_by_role("textbox", name=re.compile("^Prompt")).fill("a star from an image")
    assert submit(page)["input_image"] == job["images"][0]["s3_uri"]


def test_an_upscaled_image_is_twice_as_large(page: Page, job: Job) -> None:
    viewer = open_image(page, job)
    expect(viewer).to_contain_text("denoised again for more detail")
    viewer.get_by_role("button", name="Upscale").click()
    expect(viewer).to_have_count(0)
    image = image_of(page, PROMPT)
    expect(image).to_have_js_property("naturalWidth", 2 * job["images"][0]["width"])


def test_an_image_is_downloaded_under_a_name_of_its_own(page: Page, job: Job) -> None:
    viewer = open_image(page, job)
    with page.expect_download() as download:
        viewer.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "a-yellow-star-for-the-viewer-41.png"


def test_link_and_prompt_are_copied(new_page: NewPage, job: Job) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    viewer = open_image(page, job)
    viewer.get_by_role("button", name="Copy link").click()
    expect(viewer.locator(".notice")).to_contain_text(re.compile("until [0-9]+:[0-9]+"))
    check_accessibility(page)
    link = page.evaluate("() => navigator.clipboard.readText()")
    assert httpx.get(link).headers["content-type"] == "image/png"
    viewer.get_by_role("button", name="Copy prompt").click()
    expect(viewer.locator(".notice").last).to_contain_text("prompt is copied")
    assert page.evaluate("() => navigator.clipboard.readText()") == PROMPT


def test_a_favourite_is_marked_and_unmarked(page: Page, job: Job, http: httpx.Client) -> None:
    star = open_image(page, job).get_by_role("button", name="Favourite")
    for pressed, tags in (("true", ["favorite"]), ("false", [])):
        with page.expect_response(lambda response: response.request.method == "PATCH"):
            star.click()
        expect(star).to_have_attribute("aria-pressed", pressed)
        assert http.get(f"/v1/jobs/{job['id']}").json()["tags"] == tags


def test_an_image_is_deleted_after_a_question(page: Page, http: httpx.Client) -> None:
    job = finished_job(http, prompt="a star that is deleted", count=2)
    viewer = open_image(page, job)
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Delete")
    dialog = page.get_by_role("dialog", name="Delete 2 images?")
    expect(dialog).to_contain_text("1 image that you have not selected")
    dialog.get_by_role("button", name="Delete").click()
    expect(viewer.get_by_role("img", name="a star that is deleted")).to_have_count(0)
    assert http.get(f"/v1/jobs/{job['id']}").status_code == 404


def test_flagged_and_withheld_images_are_named(page: Page, job: Job) -> None:
    jobs = serve_jobs(page, job, 1)
    jobs[0]["images"][0] |= {"flags": ["nsfw"]}
    jobs[0]["images"][1] |= {"flags": ["nsfw"], "url": None, "url_expires_at": None, "s3_uri": None}
    open_view(page, "gallery")
    image_of(page, "image number 0").click()
    expect(viewer_of(page)).to_contain_text("not safe for work")
    page.keyboard.press("ArrowRight")
    expect(viewer_of(page)).to_contain_text("The safety filter has withheld this image.")
    expect(viewer_of(page).get_by_role("button", name="Download")).to_have_count(0)
    check_accessibility(page)


def test_the_address_of_an_image_that_is_gone_says_so(page: Page, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("status of 404")
    page.goto("/#/gallery/image/01M8KX09M98PVTPPS8HPB0FQ4X/0")
    expect(viewer_of(page)).to_contain_text("There is no such image")
    check_accessibility(page)


def test_a_finger_swipes_to_the_next_image(new_page: NewPage, job: Job) -> None:
    page = new_page(**PHONE)
    serve_jobs(page, job, 2)
    open_view(page, "gallery")
    image_of(page, "image number 0").tap()
    box = viewer_of(page).get_by_role("img", name="image number 0").bounding_box()
    assert box is not None
    right, left, y = (
        box["x"] + box["width"] * 0.8,
        box["x"] + box["width"] * 0.2,
        box["y"] + box["height"] / 2,
    )
    touch = page.context.new_cdp_session(page)
    for _ in range(4):
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": right, "y": y}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": left, "y": y}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(viewer_of(page).get_by_role("img", name="image number 1")).to_be_visible()
    expect(viewer_of(page).get_by_role("button", name="Original size")).to_have_attribute(
        "aria-pressed", "false"
    )
