"""The errors that a browser reports against the page; they fail a test."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request

from local.processes import LOOPBACK

_ABORTED = "net::ERR_ABORTED"
"""The page or a navigation has canceled the request."""


class BrowserErrors:
    """The errors of the pages that are watched.

    They are: errors in the console, which include violations of the Content-Security-Policy and responses
    with a status from 400 on; exceptions that are not caught; requests that fail; requests to other machines.
    """

    def __init__(self) -> None:
        self._reported: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def watch(self, page: Page) -> None:
        """Collects the errors of a page from now on."""
        page.on("console", self._on_message)
        page.on(
            "pageerror", lambda error: self._reported.append(f"not caught: {error.stack or error.message}")
        )
        page.on("requestfailed", self._on_failure)
        page.on("request", self._on_request)

    def expect(self, pattern: str) -> None:
        """Expects errors that a regular expression finds; `check` fails if there are none."""
        self._expected.append(re.compile(pattern))

    def check(self) -> None:
        """Fails if there are errors that are not expected, or none of the expected ones."""
        unexpected = [
            error for error in self._reported if not any(each.search(error) for each in self._expected)
        ]
        assert not unexpected, "the browser has reported:\n" + "\n".join(unexpected)
        for each in self._expected:
            assert any(map(each.search, self._reported)), f"the browser has not reported {each.pattern!r}"

    def _on_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._reported.append(f"console: {message.text} ({message.location['url']})")

    def _on_failure(self, request: Request) -> None:
        if request.failure != _ABORTED:
            self._reported.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("blob", "data") and parts.hostname != LOOPBACK:
            self._reported.append(f"another machine: {request.method} {request.url}")
