"""The form of a new job."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.conftest import ROOT
from tests.e2e.web.accessibility import check_accessibility
from tests.e2e.web.browser_errors import BrowserErrors
from tests.e2e.web.conftest import NewPage
from tests.e2e.web.views import PHONE, image_of, open_view, submit_prompt

JOBS = re.compile(r"/v1/jobs$")


def unfold(page: Page, *names: str) -> None:
    """Unfolds parts of the form, the outer ones first."""
    for name in names:
        fold = page.locator("details", has=page.locator("> summary", has_text=re.compile(f"^{name}"))).last
        if not fold.evaluate("fold => fold.open"):
            fold.locator("> summary").click()


def number(page: Page, name: str) -> Locator:
    """The field of a number."""
    return page.get_by_role("spinbutton", name=name, exact=True)


def submit(page: Page) -> Any:
    """Submits the form and returns the new job."""
    with page.expect_response(lambda response: is_submission(response.request)) as found:
        page.get_by_role("button", name="Generate", exact=True).click()
    assert found.value.status == 202
    return found.value.json()


def is_submission(request: Request) -> bool:
    """Whether a request submits a job."""
    return request.method == "POST" and JOBS.search(request.url) is not None


def answer_submission(route: Route, status: int, body: str) -> None:
    """Answers a submission in place of the API."""
    if is_submission(route.request):
        route.fulfill(status=status, body=body)
    else:
        route.continue_()


def test_an_error_stands_beside_its_field_until_it_is_corrected(
    page: Page, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 422")
    open_view(page)
    page.get_by_label("Prompt", exact=True).fill("a red circle")
    unfold(page, "More", "Sampling", "LoRA")
    number(page, "Steps").fill("700")
    page.get_by_role("combobox", name="Add: LoRA").fill("moon")
    page.keyboard.press("Enter")
    number(page, "Weight of moon").fill("9")
    page.locator("summary", has_text="Sampling").click()
    page.locator("summary", has_text="More").click()
    expect(number(page, "Steps")).not_to_be_visible()

    page.get_by_label("Prompt", exact=True).press("Control+Enter")

    expect(number(page, "Steps")).to_be_focused()
    expect(number(page, "Steps")).to_have_accessible_description(re.compile("must be at most 100, not 700$"))
    expect(page.get_by_text("must be less than or equal to 4")).to_be_visible()
    number(page, "Steps").fill("7")
    expect(page.get_by_text("must be at most 100, not 700")).to_have_count(0)
    expect(page.get_by_text("must be less than or equal to 4")).to_be_visible()
    number(page, "Weight of moon").fill("1")
    expect(page.get_by_text("must be less than or equal to 4")).to_have_count(0)
    assert submit(page)["request"]["steps"] == 7


def test_a_prompt_is_required_in_the_words_of_the_api(page: Page, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("status of 422")
    open_view(page)
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_label("Prompt", exact=True)).to_be_focused()
    expect(page.get_by_role("alert").filter(has_text="is required")).to_be_visible()


def test_a_job_has_what_the_visitor_has_set_and_the_models_defaults(page: Page) -> None:
    open_view(page)
    page.get_by_label("Prompt", exact=True).fill("a red circle with settings")
    unfold(page, "Negative prompt", "More", "Sampling", "LoRA")
    page.get_by_label("Negative prompt", exact=True).fill("blue")
    page.get_by_text("16:9").click()
    number(page, "Images").fill("2")
    number(page, "Steps").fill("5")
    number(page, "Seed").fill("11")
    page.get_by_label("Sampler", exact=True).select_option("DPM++ 2M")
    page.get_by_label("Schedule type", exact=True).select_option("Karras")
    page.get_by_role("combobox", name="Add: LoRA").fill("moo")
    page.get_by_role("option", name="moon", exact=True).click()
    page.get_by_role("slider", name="Weight of moon").fill("0.5")

    request = submit(page)["request"]

    expected = {
        "negative_prompt": "blue",
        "width": 168,
        "height": 96,
        "count": 2,
        "steps": 5,
        "seed": 11,
        "sampler": "dpmpp_2m_karras",
        "loras": [{"name": "moon", "weight": 0.5}],
        "guidance_scale": 7.5,
        "preview": True,
    }
    assert expected == {name: request[name] for name in expected}
    image_of(page, "a red circle with settings")
    page.get_by_role("button", name="Random seed").click()
    expect(number(page, "Seed")).to_have_value("")
    page.get_by_role("button", name="Use the last seed").click()
    expect(number(page, "Seed")).to_have_value("11")


def test_the_form_is_used_with_the_keyboard_only(page: Page) -> None:
    open_view(page)
    page.get_by_label("Prompt", exact=True).focus()
    page.keyboard.type("a red circle by keyboard")
    page.keyboard.press("Control+ArrowUp")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a red circle by (keyboard:1.1)")
    page.keyboard.press("Control+z")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a red circle by keyboard")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.name") == "shape":
            break
    page.keyboard.press("ArrowRight")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent") == "More":
            break
    page.keyboard.press("Enter")
    expect(page.locator("summary", has_text="Sampling")).to_be_visible()
    with page.expect_response(lambda response: is_submission(response.request)) as found:
        page.keyboard.press("Control+Enter")
    request = found.value.json()["request"]
    assert request["width"] > request["height"]


def test_the_draft_survives_a_reload(page: Page) -> None:
    open_view(page)
    page.get_by_label("Prompt", exact=True).fill("a draft")
    unfold(page, "More", "Sampling")
    number(page, "Steps").fill("9")
    page.reload()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a draft")
    expect(number(page, "Steps")).to_have_value("9")
    page.get_by_role("button", name="Reset everything").click()
    expect(number(page, "Steps")).to_have_value("20")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a draft")


def test_a_draft_of_another_version_does_no_harm(page: Page) -> None:
    open_view(page)
    draft = '{"prompt": "kept", "steps": {"min": 1}, "loras": 3, "unknown": true, "hires": {"zoom": 2}}'
    page.evaluate("draft => localStorage.setItem('draft', draft)", draft)
    page.reload()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("kept")
    assert submit(page)["request"]["hires"] is None


def test_a_double_click_submits_one_job(page: Page) -> None:
    open_view(page)
    submissions: list[Request] = []
    page.on("request", lambda request: submissions.append(request) if is_submission(request) else None)
    page.get_by_label("Prompt", exact=True).fill("a red circle once")
    page.get_by_role("button", name="Generate", exact=True).dblclick()
    image_of(page, "a red circle once")
    assert len(submissions) == 1


def test_a_lost_answer_makes_no_second_job(page: Page, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("net::ERR_FAILED")
    open_view(page)
    accepted: list[str] = []

    def lose(route: Route) -> None:
        if not is_submission(route.request):
            route.continue_()
            return
        accepted.append(route.fetch().json()["id"])
        route.abort()

    page.route(JOBS, lose)
    submit_prompt(page, "a red circle after a lost answer")
    expect(page.get_by_role("alert").filter(has_text="cannot be reached").first).to_be_visible()
    page.unroute(JOBS)
    assert [submit(page)["id"]] == accepted
    assert submit(page)["id"] not in accepted


def test_a_service_that_is_not_available_says_so_and_loses_nothing(
    page: Page, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 503")
    open_view(page)
    problem = {"code": "endpoint_unavailable", "detail": "The endpoint did not accept the job."}
    page.route(JOBS, lambda route: answer_submission(route, 503, json.dumps(problem)))
    submit_prompt(page, "a red circle")
    expect(page.locator("form").get_by_role("alert")).to_contain_text("The endpoint did not accept the job.")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a red circle")


def test_a_phone_shows_the_new_job(new_page: NewPage) -> None:
    page = new_page(**PHONE)
    open_view(page)
    unfold(page, "More")
    page.get_by_label("Prompt", exact=True).fill("a red circle on a phone")
    submit(page)
    expect(image_of(page, "a red circle on a phone")).to_be_in_viewport()


@pytest.mark.parametrize("options", [{"color_scheme": "dark", **PHONE}, {"locale": "zh-CN"}])
def test_axe_finds_nothing_in_the_unfolded_form(options: dict[str, Any], new_page: NewPage) -> None:
    page = new_page(**options)
    open_view(page)
    page.locator("details").evaluate_all("folds => { for (const fold of folds) fold.open = true; }")
    for checkbox in page.locator("form .object [type=checkbox]").all():
        checkbox.check()
    for list_of in page.locator("form .rows [role=combobox]").all():
        list_of.fill("moon" if "LoRA" in (list_of.get_attribute("aria-label") or "") else "canny")
        list_of.press("Enter")
    expect(page.locator("form .adapter")).to_have_count(1)
    expect(page.locator("form").get_by_role("button", name=re.compile("moon"))).to_have_count(1)
    check_accessibility(page)


def test_without_the_list_of_adapters_names_are_typed(page: Page, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("status of 503")
    page.route("**/v1/adapters?**", lambda route: route.fulfill(status=503, body="{}"))
    open_view(page)
    expect(page.get_by_text("could not be loaded")).to_be_visible()
    page.get_by_label("Prompt", exact=True).fill("a red circle")
    unfold(page, "More", "LoRA")
    page.get_by_role("combobox", name="Add: LoRA").fill("moon")
    page.keyboard.press("Enter")
    assert submit(page)["request"]["loras"] == [{"name": "moon", "weight": 1}]


def test_the_fields_of_an_input_image_come_and_go_with_it(page: Page) -> None:
    open_view(page)
    page.get_by_label("Prompt", exact=True).fill("a red circle")
    expect(number(page, "Denoising strength")).to_have_count(0)
    page.locator("form input[type=file]").first.set_input_files(ROOT / "docs" / "demo-model.png")
    number(page, "Denoising strength").fill("0.4")
    request = submit(page)["request"]
    assert request["strength"] == 0.4
    assert request["input_image"].startswith("s3://")
    page.get_by_role("button", name="Remove the image").click()
    expect(number(page, "Denoising strength")).to_have_count(0)
    assert submit(page)["request"]["strength"] is None


def test_errors_without_a_field_stand_at_the_button(page: Page, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("status of 422")
    errors = [
        {"pointer": "#/brightness", "detail": "unknown field"},
        {"pointer": "#", "detail": "3 more errors"},
    ]
    answer = json.dumps({"code": "validation_failed", "detail": "not valid", "errors": errors})
    page.route(JOBS, lambda route: answer_submission(route, 422, answer))
    open_view(page)
    submit_prompt(page, "a red circle")
    alert = page.locator("form").get_by_role("alert")
    expect(alert.get_by_text("brightness: unknown field")).to_be_visible()
    expect(alert.get_by_text("3 more errors")).to_be_visible()


def test_a_model_that_is_gone_is_refused_beside_the_models(page: Page, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("status of 404")
    open_view(page)
    page.evaluate('() => localStorage.setItem(\'draft\', \'{"prompt": "a circle", "model": "gone"}\')')
    page.reload()
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_label("Model", exact=True)).to_be_focused()
    expect(page.locator("form").get_by_role("alert").filter(has_text="gone")).to_be_visible()
    page.get_by_label("Model", exact=True).select_option("demo")
    submit(page)
