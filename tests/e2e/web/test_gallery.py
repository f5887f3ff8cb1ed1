"""The gallery: many jobs, filters, several images at once."""

import re

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.web.accessibility import check_accessibility
from tests.e2e.web.browser_errors import BrowserErrors
from tests.e2e.web.conftest import NewPage
from tests.e2e.web.job_lists import IMAGES_A_JOB, Job, finished_job, serve_jobs, serve_pages
from tests.e2e.web.views import PHONE, image_of, open_view

JOBS = 500
STEPS = 60
STEP_LIMIT_S = 0.1
MAX_TILES = 150

SCROLL_STEP = """() => new Promise((done) => {
    scrollBy(0, 450);
    requestAnimationFrame(() => setTimeout(() => done(scrollY)));
})"""


@pytest.fixture(scope="module")
def job(http: httpx.Client) -> Job:
    """A job with an image."""
    return finished_job(http, prompt="a red circle for the gallery")


def tiles_of(page: Page) -> Locator:
    """The rendered tiles."""
    return page.get_by_role("list", name="Images").get_by_role("listitem")


def scroll_to(page: Page, top: str) -> None:
    """Scrolls to a height, a JavaScript expression."""
    page.evaluate(f"() => scrollTo(0, {top})")


def test_a_scroll_step_among_500_jobs_is_short(page: Page, job: Job) -> None:
    """Processor time of the page's main thread: other processes on this machine do not count."""
    serve_jobs(page, job, JOBS)
    open_view(page, "gallery")
    image_of(page, "image number 0")
    metrics = page.context.new_cdp_session(page)
    metrics.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy_s() -> float:
        values = metrics.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in values if each["name"] == "TaskDuration")

    steps, tiles, top = [], 0, 0
    before = busy_s()
    for _ in range(STEPS):
        top = page.evaluate(SCROLL_STEP)
        tiles = max(tiles, tiles_of(page).count())
        after = busy_s()
        steps.append(after - before)
        before = after
    assert top > 20_000
    assert max(steps) < STEP_LIMIT_S
    assert tiles < MAX_TILES


def test_the_end_of_the_list_is_reached_and_its_beginning_again(page: Page, job: Job) -> None:
    serve_jobs(page, job, JOBS)
    open_view(page, "gallery")
    expect(tiles_of(page).first).to_have_attribute("aria-posinset", "1")
    page.locator(".tile-open").first.focus()
    last = tiles_of(page).and_(page.locator(f"[aria-posinset='{JOBS * IMAGES_A_JOB}']"))
    for _ in range(JOBS):
        if last.count() > 0:
            break
        page.keyboard.press("End")
        page.wait_for_load_state("networkidle")
    expect(page.locator(".tile-open:focus")).to_have_accessible_name(f"image number {JOBS - 1}")
    page.keyboard.press("Home")
    image_of(page, "image number 0")


def test_new_jobs_leave_the_tiles_on_the_screen_where_they_are(page: Page, job: Job) -> None:
    jobs = serve_jobs(page, job, JOBS)
    open_view(page, "gallery")
    image_of(page, "image number 0")
    scroll_to(page, "4000")
    tile = image_of(page, "image number 24")
    tile.scroll_into_view_if_needed()
    top = tile.evaluate("each => each.getBoundingClientRect().top")
    count = int(tiles_of(page).first.get_attribute("aria-setsize") or "0")
    newest = jobs[0] | {"id": "01M8B" + "0" * 21}
    jobs.insert(0, newest)
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(tiles_of(page).first).to_have_attribute("aria-setsize", str(count + IMAGES_A_JOB))
    assert abs(tile.evaluate("each => each.getBoundingClientRect().top") - top) < 2


def test_a_search_without_matches_in_newer_jobs_goes_on_when_asked(page: Page, job: Job) -> None:
    """A filter may leave no job of many pages although there are older ones that match."""

    def page_of(number: int) -> Job:
        data = [job | {"tags": ["rare"]}] if number == 7 else []
        return {"data": data, "next_cursor": None if number == 7 else str(number + 1)}

    serve_pages(page, page_of)
    open_view(page, "gallery")
    expect(page.get_by_text("there are older ones")).to_be_visible()
    check_accessibility(page)
    page.get_by_role("button", name="Search further back").click()
    image_of(page, job["request"]["prompt"])


def test_an_expired_link_is_renewed_without_a_word(
    page: Page, job: Job, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 403")
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        if refused:
            route.fallback()
        else:
            refused.append(route.request.url)
            route.fulfill(status=403)

    page.route(re.compile(rf"/outputs/{job['id']}/"), refuse_once)
    open_view(page, "gallery")
    image_of(page, job["request"]["prompt"])
    assert refused
    expect(page.locator(".notice")).to_have_count(0)


def test_an_image_that_cannot_be_loaded_says_so(page: Page, job: Job, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("status of 403")
    page.route(re.compile(rf"/outputs/{job['id']}/"), lambda route: route.fulfill(status=403))
    open_view(page, "gallery")
    expect(page.get_by_text("The image cannot be loaded.").first).to_be_visible()


def test_several_images_become_favourites_and_are_deleted(page: Page, http: httpx.Client) -> None:
    jobs = [finished_job(http, prompt=f"a blue square {number}") for number in range(3)]
    open_view(page, "gallery")
    image_of(page, "a blue square 2").click(modifiers=["Control"])
    image_of(page, "a blue square 1").click(modifiers=["Shift"])
    bar = page.get_by_role("toolbar")
    expect(bar).to_contain_text("2 selected")
    check_accessibility(page)
    bar.get_by_role("button", name="Favourite").click()
    expect(bar).to_have_count(0)
    page.get_by_role("button", name="Favourites").click()
    expect(tiles_of(page)).to_have_count(2)
    page.reload()
    expect(tiles_of(page)).to_have_count(2)
    page.locator(".tile-open").first.focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    dialog = page.get_by_role("dialog", name="Delete 2 images?")
    check_accessibility(page)
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No job matches these filters.")).to_be_visible()
    statuses = [http.get(f"/v1/jobs/{each['id']}").status_code for each in jobs]
    assert statuses == [200, 404, 404]


def test_the_focus_stays_in_the_gallery_after_a_deletion(page: Page, http: httpx.Client) -> None:
    for number in range(2):
        finished_job(http, prompt=f"a white circle {number}")
    open_view(page, "gallery")
    image_of(page, "a white circle 1")
    page.locator(".tile-open").first.focus()
    page.keyboard.press("Delete")
    page.get_by_role("dialog", name="Delete 1 image?").get_by_role("button", name="Delete").press("Enter")
    expect(page.locator(".tile-open:focus")).to_have_accessible_name("a white circle 0")


def test_the_gallery_stays_where_it_is_while_an_image_is_open(page: Page, job: Job) -> None:
    serve_jobs(page, job, JOBS)
    open_view(page, "gallery")
    image_of(page, "image number 0")
    scroll_to(page, "3000")
    image_of(page, "image number 23").click()
    top = page.evaluate("scrollY")
    expect(page.get_by_role("dialog", name="Image")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Image")).to_have_count(0)
    expect(page.locator(".tile-open:focus")).to_have_accessible_name("image number 23")
    assert top > 2000
    assert page.evaluate("scrollY") == top


def test_a_deletion_that_fails_for_one_job_is_reported(
    page: Page, http: httpx.Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 503")
    jobs = [finished_job(http, prompt=f"a black star {number}") for number in range(2)]
    problem = '{"status": 503, "code": "endpoint_unavailable", "detail": "S3 is not available."}'

    def refuse(route: Route) -> None:
        if route.request.method == "DELETE":
            route.fulfill(status=503, content_type="application/problem+json", body=problem)
        else:
            route.fallback()

    page.route(f"**/v1/jobs/{jobs[0]['id']}", refuse)
    open_view(page, "gallery")
    image_of(page, "a black star 1").click(modifiers=["Control"])
    image_of(page, "a black star 0").click(modifiers=["Control"])
    page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".notice")).to_contain_text("1 done, 1 failed")
    expect(page.locator(".notice")).to_contain_text("S3 is not available.")
    expect(page.get_by_role("toolbar")).to_contain_text("1 selected")


def test_prompts_are_searched_and_the_search_survives_a_reload(page: Page, http: httpx.Client) -> None:
    finished_job(http, prompt="a Purple moon among others")
    open_view(page, "gallery")
    page.get_by_role("searchbox", name="Search prompts").fill("purple MOON")
    expect(tiles_of(page)).to_have_count(1)
    page.reload()
    expect(tiles_of(page)).to_have_count(1)
    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_role("searchbox", name="Search prompts")).to_have_value("")


def test_a_long_press_selects_on_a_touch_screen(new_page: NewPage, job: Job) -> None:
    page = new_page(**PHONE)
    serve_jobs(page, job, 3)
    open_view(page, "gallery")
    image = image_of(page, "image number 0")
    point = {"x": 40, "y": image.bounding_box()["y"] + 40}  # type: ignore[index]
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(page.get_by_role("toolbar")).to_contain_text("1 selected")
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    image_of(page, "image number 1").tap()
    expect(page.get_by_role("toolbar")).to_contain_text("2 selected")
    check_accessibility(page)
