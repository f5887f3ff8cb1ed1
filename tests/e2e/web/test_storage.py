"""The page reads images from S3 and sends files to it, with links and forms of the API."""

from typing import Any

import httpx
from playwright.sync_api import Page

from tests.e2e.client import finish, submit
from tests.e2e.web.browser_errors import BrowserErrors
from tests.e2e.web.views import open_view

READ_PIXEL = """
async (url) => {
  const image = await createImageBitmap(await (await fetch(url)).blob());
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  return [image.width, image.height, ...context.getImageData(0, 0, 1, 1).data];
}
"""
SEND_FILE = """
async ({ url, fields }) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", new Blob(["12345678"], { type: "image/png" }));
  return (await fetch(url, { method: "POST", body: form })).status;
}
"""


def test_the_page_reads_the_pixels_of_an_image(page: Page, http: httpx.Client) -> None:
    job = finish(http, submit(http))
    open_view(page)
    width, height, *pixel = page.evaluate(READ_PIXEL, job["images"][0]["url"])
    assert (width, height) == (job["images"][0]["width"], job["images"][0]["height"])
    assert pixel[3] == 255


def test_the_page_sends_a_file(page: Page, http: httpx.Client) -> None:
    response = http.post("/v1/uploads", json={"content_type": "image/png", "size": 8})
    form: Any = response.raise_for_status().json()
    open_view(page)
    assert page.evaluate(SEND_FILE, {"url": form["url"], "fields": form["fields"]}) == 204


def test_other_pages_cannot_read_an_image(
    page: Page, http: httpx.Client, browser_errors: BrowserErrors
) -> None:
    job = finish(http, submit(http))
    page.goto("about:blank")
    browser_errors.expect("blocked by CORS policy")
    browser_errors.expect("net::ERR_FAILED")
    assert page.evaluate("url => fetch(url).catch(() => 'refused')", job["images"][0]["url"]) == "refused"
