"""Visitors with other screens, languages and input devices."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import NewPage
from tests.e2e.web.views import PHONE, View, image_of, open_view

VIEWS = ("create", "compare", "gallery")
NARROW = {"viewport": {"width": 320, "height": 640}}
"""The width at which content may not need two scroll bars (WCAG 1.4.10)."""


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("options", [PHONE, NARROW], ids=["phone", "narrow"])
def test_no_view_is_wider_than_the_screen(view: View, options: dict[str, Any], new_page: NewPage) -> None:
    page = new_page(**options)
    open_view(page, view)
    widths = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]


@pytest.mark.parametrize(
    ("locale", "language", "button"),
    [("zh-CN", "zh-Hans", "生成"), ("en-GB", "en", "Generate"), ("fr", "en", "Generate")],
)
def test_the_page_speaks_the_language_of_the_browser(
    locale: str, language: str, button: str, new_page: NewPage
) -> None:
    page = new_page(locale=locale)
    open_view(page)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.get_by_role("button", name=button)).to_be_visible()


def test_another_language_is_kept(page: Page) -> None:
    open_view(page)
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Language").select_option("zh")
    expect(page.get_by_role("button", name="生成")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="生成")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")


def test_an_image_is_generated_and_opened_with_the_keyboard_only(page: Page) -> None:
    open_view(page)
    tab_to(page, "textarea")
    page.keyboard.type("a red square from the keyboard")
    page.keyboard.press("Control+Enter")
    image_of(page, "a red square from the keyboard")
    tab_to(page, ".tile-open")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".tile-open:focus")).to_have_count(1, timeout=5_000)  # not only when jobs are polled


def tab_to(page: Page, selector: str) -> None:
    """Presses the tabulator key until an element has the focus, and fails if it never has."""
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"the focus does not reach {selector}")
