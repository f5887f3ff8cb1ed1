"""Jobs on the page while they run, and when they end without images."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.web.accessibility import check_accessibility
from tests.e2e.web.browser_errors import BrowserErrors
from tests.e2e.web.job_lists import Job
from tests.e2e.web.views import image_of, open_view

LONG = {"steps": 100, "count": 4, "width": 256, "height": 256, "preview": True}
PROBLEM = {"status": 409, "code": "already_terminal", "title": "", "detail": "The job has already ended."}
PROMPT_WITH_MARKUP = "<img src=x onerror=alert(1)> a red circle"


@pytest.fixture
def long_job(http: httpx.Client, request: pytest.FixtureRequest) -> Iterator[Job]:
    """A job that runs for longer than the test, submitted elsewhere."""
    job = http.post("/v1/jobs", json={"prompt": f"a red circle of {request.node.name}"} | LONG).json()
    yield job
    http.post(f"/v1/jobs/{job['id']}/cancel")


def card_of(page: Page, prompt: str) -> Locator:
    """The card of a job."""
    return page.get_by_role("list", name="Jobs").get_by_role("listitem").filter(has_text=prompt)


def test_a_running_job_is_followed_and_found_again_after_a_reload(page: Page, long_job: Job) -> None:
    open_view(page)
    card = card_of(page, long_job["request"]["prompt"])
    expect(card).to_contain_text(re.compile("step [0-9]+ of [0-9]+"))
    expect(card.get_by_role("img", name="Preview")).to_be_visible()
    check_accessibility(page)
    page.reload()
    expect(card).to_contain_text(re.compile("step [0-9]+ of [0-9]+"))


def test_a_canceled_job_says_so_at_once_and_can_be_deleted(
    page: Page, long_job: Job, http: httpx.Client
) -> None:
    prompt = long_job["request"]["prompt"]
    open_view(page)
    card = card_of(page, prompt)
    card.get_by_role("button", name="Cancel").click()
    expect(card).to_contain_text(re.compile("Canceling|Canceled"))
    card.get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)
    assert http.get(f"/v1/jobs/{long_job['id']}").status_code == 404


def test_a_cancellation_that_comes_too_late_is_no_error(
    page: Page, long_job: Job, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 409")
    job = long_job | {"status": "running", "phase": "denoising"}

    def refuse(route: Route) -> None:
        job.update({"status": "failed", "phase": None, "error": PROBLEM | {"detail": "It ran too long."}})
        route.fulfill(status=409, content_type="application/problem+json", body=json.dumps(PROBLEM))

    page.route("**/cancel", refuse)
    page.route(f"**/v1/jobs/{job['id']}", lambda route: route.fulfill(json=job))
    open_view(page)
    card = card_of(page, job["request"]["prompt"])
    card.get_by_role("button", name="Cancel").click()
    expect(card).to_contain_text("It ran too long.")
    expect(page.locator(".notice")).to_have_count(0)


def test_a_failed_job_says_why_and_can_be_tried_again(page: Page, http: httpx.Client) -> None:
    open_view(page)
    job = {"prompt": "a job that fails", "loras": [{"name": "none"}]}
    http.post("/v1/jobs", json=job).raise_for_status()
    page.get_by_role("link", name="Gallery").click()
    tile = page.get_by_role("button", name=re.compile("a job that fails"))
    expect(tile).to_contain_text("There is no LoRA 'none'")
    tile.click()
    viewer = page.get_by_role("dialog", name="Image")
    expect(viewer).to_contain_text("There is no LoRA 'none'")
    check_accessibility(page)
    with page.expect_response(re.compile("/v1/jobs$")) as answer:
        viewer.get_by_role("button", name="Try again").click()
    assert answer.value.status == 202
    expect(viewer).to_have_count(0)


def test_a_waking_instance_and_a_second_attempt_are_said(page: Page, long_job: Job) -> None:
    waking = long_job | {"status": "queued", "phase": "waking_capacity", "eta_seconds": 238, "attempt": 2}
    page.route(f"**/v1/jobs/{long_job['id']}", lambda route: route.fulfill(json=waking))
    open_view(page)
    card = card_of(page, long_job["request"]["prompt"])
    expect(card).to_contain_text("Waking an instance, about 4 minutes")
    expect(card).to_contain_text("this is the second attempt")


def test_a_job_is_followed_through_a_lost_connection(
    page: Page, http: httpx.Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("net::ERR_FAILED")
    failures = iter(range(2))

    def fail_twice(route: Route) -> None:
        if next(failures, None) is None:
            route.fallback()
        else:
            route.abort()

    open_view(page)
    page.route(re.compile("/v1/jobs/[^/]+$"), fail_twice)
    http.post("/v1/jobs", json={"prompt": "a red circle after an outage"}).raise_for_status()
    page.evaluate("dispatchEvent(new Event('focus'))")
    image_of(page, "a red circle after an outage")


def test_a_prompt_is_shown_as_text(page: Page, http: httpx.Client) -> None:
    http.post("/v1/jobs", json={"prompt": PROMPT_WITH_MARKUP}).raise_for_status()
    open_view(page, "gallery")
    image_of(page, PROMPT_WITH_MARKUP).click()
    expect(page.get_by_role("dialog", name="Image").get_by_text(PROMPT_WITH_MARKUP)).to_be_visible()
