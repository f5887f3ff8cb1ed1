"""`python -m bench.page`: the weight of the web page, and its times in a browser."""

import gzip
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Response, expect

from bench.figures import markdown, milliseconds
from bench.machine import describe_machine
from local.browser import chromium
from local.stack import PAGE, LocalStack

_ROUNDS = 15
_SLOW_CPU = 4
"""The factor by which slow devices have slower CPUs: Chromium's own estimate for a phone."""

_WAIT_MS = 60_000
_KINDS = {".js": "JavaScript", ".css": "CSS"}
_OTHER = "HTML, configuration, icon"
_LATER = "JavaScript of other views and of editors, when they are opened"

_NOTE_FORM = """window.formShown = new Promise((resolve) => {
  new MutationObserver((_, observer) => {
    if (document.querySelector("form button[type=submit]:enabled") === null) return;
    resolve(performance.now());
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
});"""

_NOTE_SUBMISSION = """() => {
  let clickedAt;
  addEventListener("click", () => { clickedAt = performance.now(); }, { capture: true, once: true });
  window.submission = new Promise((resolve) => {
    new PerformanceObserver((list) => {
      const request = list.getEntries().find(({ name }) => name.endsWith("/v1/jobs"));
      if (request === undefined) return;
      resolve([request.startTime - clickedAt, request.responseEnd - request.startTime]);
    }).observe({ type: "resource" });
  });
}"""


class LoadedFile(NamedTuple):
    """A file of the page that a browser has loaded."""

    path: str
    content: bytes


class Submission(NamedTuple):
    """The seconds of a submission.

    Attributes:
        page: from the click to the request.
        api: from the request to the answer 202.
    """

    page: float
    api: float


def main() -> int:
    """Measures with a local stack of its own, and prints Markdown tables."""
    report = partial(print, file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as directory, chromium() as browser:
        stack = LocalStack.start(port=0, directory=Path(directory), report=report)
        try:
            url = stack.address.api_url
            print(f"{datetime.now(UTC):%Y-%m-%d}, {describe_machine()}, Chromium {browser.version}.\n")
            print(weight_table(loaded_files(browser, url), later_files(browser, url)), flush=True)
            rows = [_times(browser, url, cpu_rate) for cpu_rate in (1, _SLOW_CPU)]
        finally:
            stack.stop()
    columns = ("CPU", "form shown", "click to request", "request to 202", "click to 202")
    print("\n" + markdown((columns[0], *(f"{name}, ms" for name in columns[1:])), rows))
    return 0


def loaded_files(browser: Browser, url: str) -> list[LoadedFile]:
    """The files that a browser without a cache loads for the first view, in the order of their paths."""
    responses: list[Response] = []
    page = browser.new_page()
    page.on("response", lambda response: responses.append(response))
    page.goto(url)
    page.wait_for_load_state("networkidle")
    origin = urlsplit(url).netloc
    files = [
        LoadedFile(parts.path, response.body())
        for response in responses
        if (parts := urlsplit(response.url)).netloc == origin and not parts.path.startswith("/v1/")
    ]
    page.close()
    return sorted(files)


def later_files(browser: Browser, url: str) -> list[LoadedFile]:
    """The scripts of the built page that the first view does not load."""
    first = {PurePosixPath(path).name for path, _ in loaded_files(browser, url)}
    scripts = (PAGE / "assets").glob("*.js")
    return [LoadedFile(each.name, each.read_bytes()) for each in scripts if each.name not in first]


def weight_table(first: Iterable[LoadedFile], later: Iterable[LoadedFile]) -> str:
    """The sizes of the files by their kind, in thousands of bytes."""
    by_kind: dict[str, list[bytes]] = {kind: [] for kind in (*_KINDS.values(), _OTHER)}
    for path, content in first:
        by_kind[_KINDS.get(PurePosixPath(path).suffix, _OTHER)].append(content)
    total = [content for contents in by_kind.values() for content in contents]
    rows = {**by_kind, "first view": total, _LATER: [content for _, content in later]}
    return markdown(
        ("", "files", "KB", "KB, gzip"),
        [(name, str(len(contents)), *_sizes(contents)) for name, contents in rows.items()],
    )


def time_to_form(page: Page, url: str) -> float:
    """The seconds from the beginning of the navigation until the form can be submitted."""
    page.add_init_script(_NOTE_FORM)
    page.goto(url)
    shown: float = page.evaluate("window.formShown")
    return shown / 1000


def time_to_accepted(page: Page, prompt: str) -> Submission:
    """The times of a submission with the open form; returns when its image is shown."""
    page.get_by_role("textbox", name="Prompt").first.fill(prompt)
    page.evaluate(_NOTE_SUBMISSION)
    page.locator("form button[type=submit]").click()
    in_page, in_api = page.evaluate("window.submission")
    expect(page.get_by_role("img", name=prompt).first).to_be_visible(timeout=_WAIT_MS)
    return Submission(in_page / 1000, in_api / 1000)


def _times(browser: Browser, url: str, cpu_rate: int) -> tuple[str, ...]:
    """A row of the table of times; each round has a browser without a cache and without a draft."""
    shown: list[float] = []
    submissions: list[Submission] = []
    for number in range(_ROUNDS):
        for page in _pages(browser, cpu_rate):
            shown.append(time_to_form(page, url))
            submissions.append(time_to_accepted(page, f"a red circle {cpu_rate} {number}"))
    name = "this machine's" if cpu_rate == 1 else f"{cpu_rate} times slower"
    samples = (
        shown,
        [each.page for each in submissions],
        [each.api for each in submissions],
        [sum(each) for each in submissions],
    )
    return (name, *(milliseconds(each) for each in samples))


def _pages(browser: Browser, cpu_rate: int) -> Iterator[Page]:
    """One empty page."""
    context = browser.new_context(locale="en-US")
    context.set_default_timeout(_WAIT_MS)
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": cpu_rate})
    yield page
    context.close()


def _sizes(contents: Iterable[bytes]) -> tuple[str, str]:
    whole, compressed = 0, 0
    for content in contents:
        whole += len(content)
        compressed += len(gzip.compress(content, 9))
    return f"{whole / 1000:.1f}", f"{compressed / 1000:.1f}"


if __name__ == "__main__":
    sys.exit(main())
