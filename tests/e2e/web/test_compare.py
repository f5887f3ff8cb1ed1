"""The view that compares: one set of jobs over the values of two fields."""

import io
import re

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.web.accessibility import check_accessibility
from tests.e2e.web.browser_errors import BrowserErrors
from tests.e2e.web.conftest import NewPage
from tests.e2e.web.views import open_view
from tests.waiting import wait_until

COLUMNS, ROWS = "Columns (X)", "Rows (Y)"


def set_axis(page: Page, axis: str, field: str, values: str | list[str]) -> None:
    """Selects the field of an axis and its values: typed, or chosen by their labels."""
    page.get_by_label(axis, exact=True).select_option(field)
    if isinstance(values, str):
        page.get_by_label(f"Values of the {axis}").fill(values)
        return
    choices = page.get_by_role("group", name=f"Values of the {axis}")
    for each in values:
        choices.get_by_label(each, exact=True).check()


def generate(page: Page, prompt: str, count: int) -> Locator:
    """Generates the grid; returns its table."""
    page.get_by_role("textbox", name="Prompt", exact=True).fill(prompt)
    page.get_by_role("button", name=f"Generate {count} images").click()
    return page.get_by_role("table")


def jobs_of(page: Page, http: httpx.Client) -> list[dict[str, object]]:
    """The jobs of the shown grid, from the server."""
    grid = page.url.rsplit("/", 1)[-1]
    jobs: list[dict[str, object]] = (
        http.get("/v1/jobs", params={"tag": f"grid:{grid}", "limit": 100}).raise_for_status().json()["data"]
    )
    return jobs


def test_a_grid_is_submitted_as_one_set_and_found_again(
    page: Page, new_page: NewPage, http: httpx.Client
) -> None:
    open_view(page, "compare")
    set_axis(page, COLUMNS, "steps", "4-8 (+4)")
    set_axis(page, ROWS, "sampler", ["Euler a", "DPM++ 2M"])
    table = generate(page, "a red circle in a grid", 4)
    expect(table.get_by_role("img")).to_have_count(4)
    expect(table.get_by_role("columnheader")).to_contain_text(["Steps", "4", "8"])
    expect(table.get_by_role("rowheader")).to_have_text(["Euler a", "DPM++ 2M"])
    expect(page.get_by_text("4 of 4 images")).to_be_visible()
    check_accessibility(page)
    jobs = jobs_of(page, http)
    assert len({job["request"]["seed"] for job in jobs}) == 1  # type: ignore[index]

    other = new_page()
    open_view(other, "compare")
    other.get_by_role("link", name="a red circle in a grid").first.click()
    for shown in (page, other):
        shown.reload()
        expect(shown.get_by_role("img", name="8, DPM++ 2M")).to_be_visible()
        expect(shown.get_by_role("rowheader")).to_have_text(["Euler a", "DPM++ 2M"])

    with page.expect_download() as download:
        page.get_by_role("button", name="Save as one image").click()
    sheet = Image.open(io.BytesIO(download.value.path().read_bytes()))
    assert sheet.format == "PNG"
    assert sheet.width > 2 * 128
    assert sheet.height > 2 * 128
    assert sheet.convert("L").histogram()[255] < sheet.width * sheet.height / 2, "the images are missing"

    page.get_by_role("button", name="8, DPM++ 2M").click()
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("img")).to_be_visible()
    expect(viewer.get_by_role("button", name="Next")).to_be_disabled()
    last = page.url
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(lambda url: url != last)
    page.keyboard.press("Escape")
    expect(page.get_by_role("table")).to_be_visible()


def test_a_text_of_the_prompt_is_replaced(page: Page, http: httpx.Client) -> None:
    open_view(page, "compare")
    page.get_by_role("textbox", name="Prompt", exact=True).fill("a red circle")
    page.get_by_label("Rows (Y)", exact=True).select_option("")
    set_axis(page, COLUMNS, "prompt", "red\ndark blue, old")
    table = generate(page, "a red circle", 2)
    expect(table.get_by_role("img", name="dark blue, old")).to_be_visible()
    prompts = {job["request"]["prompt"] for job in jobs_of(page, http)}  # type: ignore[index]
    assert prompts == {"a red circle", "a dark blue, old circle"}


def test_a_refused_cell_shows_the_words_of_the_api_and_can_be_retried(
    page: Page, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 422")
    open_view(page, "compare")
    set_axis(page, COLUMNS, "scheduler", ["Karras"])
    set_axis(page, ROWS, "sampler", ["Euler a", "DPM++ 2M"])
    table = generate(page, "a red circle that is refused", 2)
    expect(table.get_by_role("img", name="Karras, DPM++ 2M")).to_be_visible()
    expect(table.locator(".cell-trouble")).to_have_count(1)
    expect(table.locator(".cell-trouble")).to_contain_text("karras")
    with page.expect_response(re.compile("/v1/jobs$")):
        table.get_by_role("button", name="Try again").click()
    expect(table.locator(".cell-trouble")).to_have_count(1)


def test_a_set_is_submitted_as_fast_as_the_api_accepts_it(page: Page, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("status of 429")
    refusals = iter(range(6))

    def answer(route: Route) -> None:
        if route.request.method == "POST" and next(refusals, None) is not None:
            route.fulfill(status=429, headers={"Retry-After": "0"}, json={"code": "too_many_requests"})
        else:
            route.continue_()

    open_view(page, "compare")
    page.route("**/v1/jobs", answer)
    page.get_by_label(ROWS, exact=True).select_option("")
    set_axis(page, COLUMNS, "seed", "1-3")
    table = generate(page, "a red circle that waits", 3)
    expect(table.get_by_role("img")).to_have_count(3)


def test_cells_that_a_closed_page_has_not_submitted_are_submitted_later(
    page: Page, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 429")
    accepted = iter(range(1))

    def answer(route: Route) -> None:
        if route.request.method != "POST" or next(accepted, None) is not None:
            route.continue_()
        else:
            route.fulfill(status=429, headers={"Retry-After": "10"}, json={"code": "too_many_requests"})

    open_view(page, "compare")
    page.route("**/v1/jobs", answer)
    page.get_by_label(ROWS, exact=True).select_option("")
    set_axis(page, COLUMNS, "seed", "5-7")
    table = generate(page, "a red circle in two visits", 3)
    expect(table.get_by_role("img")).to_have_count(1)
    page.unroute("**/v1/jobs")
    page.reload()
    page.get_by_role("button", name="Submit the missing ones").click()
    expect(table.get_by_role("img")).to_have_count(3)


def test_a_set_is_canceled_as_a_whole(page: Page, http: httpx.Client) -> None:
    open_view(page, "compare")
    set_axis(page, COLUMNS, "seed", "1-8")
    set_axis(page, ROWS, "steps", "100")
    table = generate(page, "a red circle that is canceled", 8)
    expect(table.locator(".cell-state").first).to_be_visible()
    page.get_by_role("button", name="Cancel all").click()
    expect(page.get_by_role("button", name="Cancel all")).to_have_count(0)
    wait_until(
        lambda: {job["status"] for job in jobs_of(page, http)} <= {"canceled", "succeeded"},
        "no job of the grid is unfinished",
        poll_s=0.5,
    )


@pytest.mark.parametrize(
    ("field", "values", "error"),
    [
        ("steps", "5, many", "“many” is neither a number nor a range"),
        ("steps", "90-110 (+10)", "110 is more than 100"),
        ("steps", "1-66", "At most 64 values"),
        ("prompt", "star\nmoon", "does not contain “star”"),
    ],
)
def test_an_error_stands_beside_its_axis(page: Page, field: str, values: str, error: str) -> None:
    open_view(page, "compare")
    page.get_by_role("textbox", name="Prompt", exact=True).fill("a red circle")
    set_axis(page, COLUMNS, field, values)
    expect(page.get_by_label("Values of the Columns (X)")).to_have_accessible_description(
        re.compile(re.escape(error))
    )


def test_a_grid_with_too_many_cells_is_not_submitted(page: Page) -> None:
    open_view(page, "compare")
    page.get_by_role("textbox", name="Prompt", exact=True).fill("a red circle")
    set_axis(page, COLUMNS, "steps", "1-9")
    set_axis(page, ROWS, "seed", "1-9")
    page.get_by_role("button", name="Generate 81 images").click()
    expect(page.get_by_text("These are 81 images; a grid has at most 64")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)


def test_the_axes_survive_a_reload(page: Page) -> None:
    open_view(page, "compare")
    set_axis(page, COLUMNS, "guidance_scale", "1-9 (+4)")
    page.reload()
    expect(page.get_by_label("Values of the Columns (X)")).to_have_value("1-9 (+4)")
