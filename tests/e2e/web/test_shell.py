"""The page around its views: languages, appearance, keyboard, sizes, and a service that fails."""

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.web.accessibility import check_accessibility
from tests.e2e.web.browser_errors import BrowserErrors
from tests.e2e.web.conftest import NewPage
from tests.e2e.web.views import PHONE, View, image_of, open_view, submit_prompt

VIEWS: tuple[View, ...] = ("create", "compare", "gallery")
NAMES = re.compile(r"[\W\d_]*|.*(LoRA|ControlNet|VAE|CFG|CLIP|Ctrl|Stable Diffusion|demo|English|简体中文).*")
"""Texts that are the same in both languages."""

CHINESE = re.compile(r"[\u4e00-\u9fff]")

TEXTS = """() => [...document.querySelectorAll('h1, h2, label, legend, button, nav a, summary')]
    .map((each) => (each.getAttribute('aria-label') ?? each.innerText).trim())"""

PROBLEM = {"status": 503, "code": "internal", "detail": "The service restarts.", "retryable": True}


def unavailable(route: Route) -> None:
    route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(PROBLEM))


@pytest.mark.parametrize("view", VIEWS)
def test_every_text_is_in_the_language_of_the_page(view: View, new_page: NewPage) -> None:
    texts = {}
    for locale, code in (("en-US", "en"), ("zh-CN", "zh-Hans")):
        page = new_page(locale=locale)
        page.route("**/v1/jobs?*", lambda route: route.fulfill(json={"data": [], "next_cursor": None}))
        open_view(page, view)
        expect(page.locator("html")).to_have_attribute("lang", code)
        page.get_by_role("button", name=re.compile("^(Settings|设置)$")).click()
        texts[code] = {text for text in page.evaluate(TEXTS) if not NAMES.fullmatch(text)}
    assert len(texts["en"]) > 5
    assert [text for text in texts["en"] if CHINESE.search(text)] == []
    assert [text for text in texts["zh-Hans"] if not CHINESE.search(text)] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_settings(scheme: str, new_page: NewPage) -> None:
    page = new_page(color_scheme=scheme)
    open_view(page, "compare")
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_label("Language")).to_be_visible()
    check_accessibility(page)


def test_language_and_appearance_are_kept(page: Page) -> None:
    open_view(page)
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Appearance").select_option("dark")
    page.get_by_label("Language").select_option("zh")
    expect(page).to_have_title("创作 · Stable Diffusion")
    page.reload()
    expect(page.get_by_role("button", name="设置")).to_be_visible()
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert max(int(each) for each in re.findall(r"\d+", background)) < 60


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "options", [PHONE, {"viewport": {"width": 640, "height": 400}}], ids=["phone", "zoom of 200 %"]
)
def test_a_narrow_page_does_not_scroll_sideways(
    view: View, options: dict[str, object], new_page: NewPage
) -> None:
    page = new_page(**options)
    open_view(page, view)
    width, visible = page.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert width <= visible


def test_views_are_reached_with_the_keyboard(page: Page) -> None:
    open_view(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("3")
    expect(page).to_have_title("Gallery · Stable Diffusion")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    check_accessibility(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize("path", ["**/config.json", "**/v1/models"])
def test_a_service_that_starts_later_is_found(page: Page, path: str, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("status of 503")
    page.route(path, unavailable)
    page.goto("/")
    failure = page.get_by_role("alert")
    expect(failure).to_contain_text("The service restarts.")
    expect(failure).to_contain_text("tries again by itself")
    check_accessibility(page)
    page.unroute(path)
    expect(page.get_by_role("textbox").first).to_be_visible()
    expect(failure).to_have_count(0)


def test_a_lost_connection_is_shown_until_it_is_back(page: Page, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("net::ERR_INTERNET_DISCONNECTED")
    open_view(page)
    page.context.set_offline(True)
    notice = page.locator(".connection-notice")
    expect(notice).to_contain_text("The service cannot be reached")
    submit_prompt(page, "a red circle that waits for the connection")
    expect(page.get_by_role("alert").first).to_be_visible()
    page.context.set_offline(False)
    expect(notice).to_have_count(0)
    field = page.get_by_role("textbox", name=re.compile("^Prompt"))
    expect(field).to_have_value("a red circle that waits for the connection")
    field.press("Control+Enter")
    image_of(page, "a red circle that waits for the connection")


def test_a_view_that_fails_leaves_the_others(page: Page) -> None:
    """The answer breaks the API's contract, which no part of the page expects."""
    broken = {"data": [{"id": "01M8KW2R0YAET3VH7WYWBNYVBV", "status": "succeeded"}], "next_cursor": None}
    page.route("**/v1/jobs?tag=grid&*", lambda route: route.fulfill(json=broken))
    page.goto("/#/compare")
    expect(page.get_by_role("alert")).to_contain_text("The page has failed")
    page.get_by_role("link", name="Create").click()
    expect(page.get_by_role("textbox", name=re.compile("^Prompt"))).to_be_visible()


def test_a_browser_without_storage_shows_the_page(page: Page) -> None:
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('blocked'); } })"
    )
    open_view(page)
    submit_prompt(page, "a red circle that is not kept")
    image_of(page, "a red circle that is not kept")
