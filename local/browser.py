"""Headless Chromium for the tests of the page and for its screenshots."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
"""The names under which Chromium is looked for, in this order."""

_VARIABLE = "CHROMIUM"
_ARGUMENTS = (
    "--no-sandbox",  # containers have no user namespaces; only the page of the local stack is opened
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # nothing outside of this machine
)


class BrowserMissingError(RuntimeError):
    """No Chromium is installed."""


def find_chromium() -> str:
    """The path of Chromium: the variable CHROMIUM, or else the first of `PROGRAMS` that is installed.

    Raises:
        BrowserMissingError: there is none.
    """
    chosen = os.environ.get(_VARIABLE)
    if chosen is not None:
        if path := shutil.which(chosen):
            return path
        raise BrowserMissingError(
            f"the variable {_VARIABLE} is {chosen!r}, which is not a program; "
            "set it to the path of Chromium or Google Chrome, or unset it"
        )
    for name in PROGRAMS:
        if path := shutil.which(name):
            return path
    raise BrowserMissingError(
        f"none of {', '.join(PROGRAMS)} is installed: install Chromium (Debian: apt-get install chromium), "
        f"or set the variable {_VARIABLE} to the path of Chromium or Google Chrome"
    )


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser that reaches 127.0.0.1 only.

    Raises:
        BrowserMissingError: no Chromium is installed.
    """
    program = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()
