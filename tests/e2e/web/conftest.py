"""Fixtures of the tests of the page, in a browser, with the local stack.

A test takes `page` and opens a view. It waits with Playwright's `expect`, never for a fixed time:

    def test_the_gallery_shows_a_new_image(page: Page) -> None:
        open_view(page)
        submit_prompt(page, "a red circle")
        open_view(page, "gallery")
        expect(image_of(page, "a red circle")).to_be_visible()

Other screens, languages and color schemes come from `new_page(locale="zh-CN", color_scheme="dark", **PHONE)`.
Errors that the browser reports fail the test; those that a test causes are `browser_errors.expect`ed.
`stack` is the system, `http` a client of its API, `tests.e2e.client` waits for jobs. `make web` builds the
page. A test that fails prints the path of a screenshot.
"""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from local.browser import chromium
from local.page import BUILD_COMMAND, is_built
from local.stack import PAGE, LocalStack
from tests.e2e.web.browser_errors import BrowserErrors

NewPage = Callable[..., Page]
"""Opens a page with options of Playwright's `Browser.new_context`."""

_LIMIT_MS = 60_000
_HAS_FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The browser shared by all tests of the page."""
    expect.set_options(timeout=_LIMIT_MS)
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser_errors() -> BrowserErrors:
    """The errors that the browser reports against the pages of the test."""
    return BrowserErrors()


@pytest.fixture
def new_page(
    browser: Browser,
    stack: LocalStack,
    browser_errors: BrowserErrors,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Iterator[NewPage]:
    """Opens empty pages, each with a storage of its own; relative addresses are those of the local stack."""
    assert is_built(PAGE), f"the page has not been built: run `{BUILD_COMMAND}`"
    pages: list[Page] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"base_url": stack.address.api_url, "locale": "en-US"} | options)
        context.set_default_timeout(_LIMIT_MS)
        pages.append(context.new_page())
        browser_errors.watch(pages[-1])
        return pages[-1]

    yield open_page
    for number, page in enumerate(pages):
        if request.node.stash.get(_HAS_FAILED, False):
            path = tmp_path / f"page-{number}.png"
            page.screenshot(path=path)
            print(f"{page.url}: {path}")
        page.context.close()
    browser_errors.check()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """An empty page on a wide screen, in English."""
    return new_page()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes whether the test has failed, for the fixtures that end after it."""
    report = yield
    if report.when == "call":
        item.stash[_HAS_FAILED] = report.failed
    return report
