"""The page as a visitor first finds it."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.accessibility import check_accessibility
from tests.e2e.web.conftest import NewPage
from tests.e2e.web.views import PHONE, View, image_of, open_view, submit_prompt


def test_an_image_is_generated_from_an_empty_page(page: Page) -> None:
    open_view(page)
    submit_prompt(page, "a red circle from the page")
    image_of(page, "a red circle from the page")


def test_the_page_needs_no_signing_in_and_allows_nothing_foreign(page: Page, http: httpx.Client) -> None:
    response = page.goto("/")
    assert response is not None
    policy = response.headers["content-security-policy"]
    assert re.search(r"default-src 'none'; script-src 'self'; style-src 'self'; ", policy)
    expect(page.get_by_role("textbox").first).to_be_visible()


@pytest.mark.parametrize("view", ["create", "compare", "gallery"])
@pytest.mark.parametrize(
    "options",
    [{}, {"color_scheme": "dark"}, {"locale": "zh-CN"}, PHONE],
    ids=["light", "dark", "zh", "phone"],
)
def test_axe_finds_nothing(view: View, options: dict[str, Any], new_page: NewPage) -> None:
    page = new_page(**options)
    open_view(page, view)
    check_accessibility(page)
