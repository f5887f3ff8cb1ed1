"""The page in the benchmark of its weight and times."""

import gzip

from playwright.sync_api import Browser, Page

from bench.page import loaded_files, time_to_accepted, time_to_form
from local.stack import LocalStack

LIMIT_BYTES = 60_000


def test_the_first_view_loads_little_and_nothing_else(browser: Browser, stack: LocalStack) -> None:
    files = loaded_files(browser, stack.address.api_url)
    scripts = [gzip.compress(content, 9) for path, content in files if path.endswith(".js")]
    assert 0 < sum(map(len, scripts)) <= LIMIT_BYTES
    others = {path for path, _ in files if not path.startswith("/assets/")}
    assert others <= {"/", "/config.json", "/icon.svg"}


def test_times_are_those_of_the_form_and_of_a_submission(page: Page, stack: LocalStack) -> None:
    assert time_to_form(page, stack.address.api_url) > 0
    submission = time_to_accepted(page, "a red circle for the benchmark")
    assert submission.page > 0
    assert submission.api > 0
