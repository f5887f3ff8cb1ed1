"""Lists of jobs that the API would take long to fill."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.sync_api import Page, Route

from tests.waiting import wait_until

LINK_END = "2100-01-01T00:00:00Z"
IMAGES_A_JOB = 4

Job = dict[str, Any]


def finished_job(http: httpx.Client, **request: Any) -> Job:
    """Submits a job and waits until it has ended."""
    job = http.post("/v1/jobs", json=request).raise_for_status().json()

    def ended() -> Job | None:
        now: Job = http.get(job["links"]["self"]).raise_for_status().json()
        return now if now["finished_at"] else None

    return wait_until(ended, "the job has ended")  # type: ignore[return-value]


def serve_jobs(page: Page, template: Job, count: int) -> list[Job]:
    """Answers the page's lists with copies of a job, newest first; adding one to the result lists it too."""
    jobs = [_copy(template, number) for number in range(count)]

    def answer(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        if query.get("status", ["succeeded"]) != ["succeeded"]:
            route.fulfill(json={"data": [], "next_cursor": None})
            return
        after = query.get("cursor", [None])[0]
        start = next((index + 1 for index, job in enumerate(jobs) if job["id"] == after), 0)
        data = jobs[start : start + int(query["limit"][0])]
        has_more = start + len(data) < len(jobs)
        route.fulfill(json={"data": data, "next_cursor": data[-1]["id"] if has_more else None})

    page.route("**/v1/jobs?*", answer)
    return jobs


def serve_pages(page: Page, page_of: Callable[[int], Job]) -> None:
    """Answers the n-th page of the page's list with a function's result; its cursors are numbers."""

    def answer(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        route.fulfill(json=page_of(int(query.get("cursor", ["0"])[0])))

    page.route("**/v1/jobs?*", answer)


def _copy(template: Job, number: int) -> Job:
    job_id = f"01M8AAAAAAAAAAAAAAAAAA{9999 - number:04d}"
    prompt = f"image number {number}"
    image = template["images"][0] | {"url_expires_at": LINK_END}
    return template | {
        "id": job_id,
        "request": template["request"] | {"id": job_id, "prompt": prompt},
        "images": [image | {"seed": seed} for seed in range(IMAGES_A_JOB)],
    }
