"""Signing in: with an API key, with Cognito's hosted page, and again when a session has ended."""

import json
import re
from http import HTTPStatus

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from local.stack import LocalStack
from tests.e2e.web.accessibility import check_accessibility
from tests.e2e.web.browser_errors import BrowserErrors
from tests.e2e.web.hosted_page import HostedPage
from tests.e2e.web.views import image_of, submit_prompt

FIREWALL = "The firewall refused the request: its body looks like an attack."


def ask_for_key(page: Page) -> None:
    """The page's configuration is that of a stage whose visitors enter an API key."""
    page.route("**/config.json", lambda route: route.fulfill(json={"auth": {"type": "api_key"}}))


def dialog_of(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Sign in")


def enter_key(page: Page, key: str) -> None:
    dialog_of(page).get_by_label("API key").fill(key)
    dialog_of(page).get_by_role("button", name="Sign in").click()


def refuse(route: Route, *, detail: str = "Send a valid API key as x-api-key.") -> None:
    """Answers a request with status 403."""
    route.fulfill(
        status=403,
        content_type="application/problem+json",
        body=json.dumps({"status": 403, "code": "forbidden", "detail": detail}),
    )


@pytest.fixture
def key_page(page: Page) -> Page:
    """A page that asks for an API key."""
    ask_for_key(page)
    page.goto("/#/create")
    expect(dialog_of(page)).to_be_visible()
    return page


def test_a_wrong_key_is_refused_in_the_words_of_the_api(
    key_page: Page, browser_errors: BrowserErrors
) -> None:
    check_accessibility(key_page)
    enter_key(key_page, "wrong")
    field = dialog_of(key_page).get_by_label("API key")
    expect(field).to_have_accessible_description(re.compile("Send a valid API key"))
    browser_errors.expect("status of 403")
    enter_key(key_page, "клуч")
    expect(field).to_have_accessible_description(re.compile("This is not an API key"))
    key_page.keyboard.press("Escape")
    key_page.keyboard.press("Escape")
    expect(dialog_of(key_page)).to_be_visible()


def test_a_key_is_kept_in_the_tab_until_the_visitor_signs_out(key_page: Page, stack: LocalStack) -> None:
    key = stack.address.api_key
    enter_key(key_page, f" {key} ")
    expect(dialog_of(key_page)).to_have_count(0)
    key_page.reload()
    submit_prompt(key_page, "a red circle with a key")
    image_of(key_page, "a red circle with a key")
    assert key not in key_page.evaluate("JSON.stringify({...localStorage}) + document.cookie + location.href")
    key_page.get_by_role("button", name="Settings").click()
    key_page.get_by_role("button", name="Sign out").click()
    expect(dialog_of(key_page)).to_be_visible()
    assert key not in key_page.evaluate("JSON.stringify({...sessionStorage})")


def test_a_session_that_ends_in_mid_form_loses_nothing(
    key_page: Page, stack: LocalStack, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 403")
    enter_key(key_page, stack.address.api_key)
    field = key_page.get_by_role("textbox", name=re.compile("^Prompt"))
    expect(field).to_be_visible()
    key_page.route("**/v1/**", lambda route: refuse(route))
    submit_prompt(key_page, "a blue square after the session has ended")
    expect(dialog_of(key_page)).to_contain_text("Your session has ended")
    key_page.unroute("**/v1/**")
    enter_key(key_page, stack.address.api_key)
    expect(dialog_of(key_page)).to_have_count(0)
    expect(field).to_have_value("a blue square after the session has ended")
    field.press("Control+Enter")
    image_of(key_page, "a blue square after the session has ended")


def test_a_job_is_followed_again_after_signing_in(
    key_page: Page, stack: LocalStack, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 403")
    enter_key(key_page, stack.address.api_key)
    with key_page.expect_response(lambda response: response.status == HTTPStatus.ACCEPTED):
        submit_prompt(key_page, "a red circle while the session ends")
    key_page.route("**/v1/**", lambda route: refuse(route))
    expect(dialog_of(key_page)).to_contain_text("Your session has ended")
    key_page.unroute("**/v1/**")
    enter_key(key_page, stack.address.api_key)
    image_of(key_page, "a red circle while the session ends")


def test_a_refusal_by_the_firewall_does_not_end_the_session(
    key_page: Page, stack: LocalStack, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 403")
    enter_key(key_page, stack.address.api_key)
    key_page.route(
        "**/v1/jobs",
        lambda route: refuse(route, detail=FIREWALL) if route.request.method == "POST" else route.continue_(),
    )
    submit_prompt(key_page, "a red circle; DROP TABLE")
    expect(key_page.get_by_text(FIREWALL).first).to_be_visible()
    expect(dialog_of(key_page)).to_have_count(0)


def test_a_visitor_signs_in_on_the_hosted_page_and_comes_back_to_the_same_view(
    page: Page, stack: LocalStack
) -> None:
    hosted = HostedPage(page, stack)
    page.goto("/#/compare")
    dialog_of(page).get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Accept").click()
    page.wait_for_url("**/#/compare")
    expect(page.get_by_role("textbox", name="Prompt")).to_be_visible()
    [asked] = hosted.authorized
    assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == (
        "code",
        "S256",
        "openid",
    )
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Sign out").click()
    expect(dialog_of(page)).to_be_visible()
    assert "tokens" not in page.evaluate("Object.keys(sessionStorage)")


def test_a_session_is_renewed_once_for_all_requests_and_ends_when_that_is_refused(
    page: Page, stack: LocalStack, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 400")
    hosted = HostedPage(page, stack)
    hosted.lifetime_s = 1
    page.goto("/")
    dialog_of(page).get_by_role("button", name="Sign in").click()
    with page.expect_response("**/oauth2/token"):
        page.get_by_role("link", name="Accept").click()
    hosted.lifetime_s = 3600
    submit_prompt(page, "a red circle with a renewed session")
    image_of(page, "a red circle with a renewed session")
    assert hosted.renewals >= 1
    hosted.refuses_renewal = True
    page.evaluate(
        "sessionStorage.tokens = JSON.stringify({...JSON.parse(sessionStorage.tokens), expiresAt: 0})"
    )
    submit_prompt(page, "a prompt that stays")
    expect(dialog_of(page)).to_contain_text("Your session has ended")
    dialog_of(page).get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Accept").click()
    expect(page.get_by_role("textbox", name=re.compile("^Prompt"))).to_have_value("a prompt that stays")


def test_an_error_of_the_hosted_page_is_shown(page: Page, stack: LocalStack) -> None:
    HostedPage(page, stack)
    page.goto("/")
    dialog_of(page).get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Refuse").click()
    expect(dialog_of(page)).to_contain_text("User is disabled")
    assert "error" not in page.url


def test_a_code_that_another_site_sends_is_not_used(page: Page, stack: LocalStack) -> None:
    HostedPage(page, stack)
    page.goto("/?code=stolen&state=guessed")
    expect(dialog_of(page)).to_contain_text("does not belong to a request of this tab")
    assert "code" not in page.url
