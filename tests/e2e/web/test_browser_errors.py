"""The tests of the page fail for everything that the browser reports."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from local.stack import LocalStack
from tests.e2e.web.browser_errors import BrowserErrors
from tests.e2e.web.views import open_view

INLINE_SCRIPT = "document.head.append(Object.assign(document.createElement('script'), {textContent: '1'}))"
FOREIGN_REQUEST = "fetch('https://example.com/').catch(() => undefined)"


@pytest.fixture
def page(browser: Browser, stack: LocalStack, browser_errors: BrowserErrors) -> Iterator[Page]:
    """A page whose errors are not checked at the end of the test."""
    context = browser.new_context(base_url=stack.address.api_url)
    page = context.new_page()
    browser_errors.watch(page)
    open_view(page)
    browser_errors.check()
    yield page
    context.close()


@pytest.mark.parametrize(
    ("script", "event", "reported"),
    [
        ("console.error('broken')", "console", "broken"),
        ("setTimeout(() => { throw new Error('thrown') })", "pageerror", "not caught: Error: thrown"),
        ("void Promise.reject(new Error('rejected'))", "pageerror", "not caught: Error: rejected"),
        ("fetch('/v1/none')", "console", "status of 40[34]"),
        (INLINE_SCRIPT, "console", "Content Security Policy"),
        (FOREIGN_REQUEST, "console", "Content Security Policy"),
    ],
)
def test_an_error_is_reported(
    page: Page, browser_errors: BrowserErrors, script: str, event: str, reported: str
) -> None:
    with page.expect_event(event):
        page.evaluate(f"() => {{ {script} }}")
    with pytest.raises(AssertionError, match=f"the browser has reported:\n.*{reported}"):
        browser_errors.check()
    browser_errors.expect(reported)
    browser_errors.check()


def test_a_request_without_a_response_is_reported(page: Page, browser_errors: BrowserErrors) -> None:
    page.context.set_offline(True)
    with page.expect_event("requestfailed"):
        page.evaluate("() => { fetch('/v1/models').catch(() => undefined) }")
    with pytest.raises(AssertionError, match=r"failed: GET .*: net::ERR_INTERNET_DISCONNECTED"):
        browser_errors.check()


def test_an_error_that_is_expected_and_does_not_occur_is_reported(browser_errors: BrowserErrors) -> None:
    browser_errors.expect("status of 422")
    with pytest.raises(AssertionError, match="has not reported 'status of 422'"):
        browser_errors.check()


def test_another_machine_cannot_be_reached(page: Page, browser_errors: BrowserErrors) -> None:
    """The browser itself resolves no other name, even for a page without a policy."""
    blank = page.context.browser.new_page()  # type: ignore[union-attr]
    with blank.expect_event("requestfailed") as failed:
        blank.evaluate(f"() => {{ {FOREIGN_REQUEST} }}")
    assert failed.value.failure == "net::ERR_NAME_NOT_RESOLVED"
    blank.close()
