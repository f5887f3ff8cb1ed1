"""The list of jobs, with in-memory ports."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from contract.identifiers import new_job_id
from contract.submission import MAX_TAGS
from jobs.caller import Caller
from jobs.job import Job, JobStatus
from tests.jobs.fakes import NOW, InMemoryBackend, a_job, a_result
from tests.jobs.http_calls import call, send


def store(backend: InMemoryBackend, count: int, **changes: Any) -> list[str]:
    """Stores jobs; returns their ids, newest first."""
    jobs = [replace(a_job(), **changes) for _ in range(count)]
    for job in jobs:
        backend.jobs.create(job)
    return sorted((job.id for job in jobs), reverse=True)


def listed(key: str = "default", **query: str) -> tuple[list[str], str | None]:
    """The ids in a response, and its cursor."""
    status, headers, document = call("GET", "/v1/jobs", key=key, query=query)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert document.keys() == {"data", "next_cursor"}
    return [job["id"] for job in document["data"]], document["next_cursor"]


def refused(**query: str) -> dict[str, str]:
    """The errors of a request by their pointers."""
    status, _, problem = call("GET", "/v1/jobs", query=query)
    assert (status, problem["code"]) == (422, "validation_failed")
    return {error["pointer"]: error["detail"] for error in problem["errors"]}


def test_the_list_is_empty_at_first(deployed: InMemoryBackend) -> None:
    assert listed() == ([], None)


def test_jobs_are_listed_newest_first_in_pages(deployed: InMemoryBackend) -> None:
    ids = store(deployed, 25)
    first, cursor = listed()
    assert (first, len(first)) == (ids[:20], 20)
    assert cursor is not None
    assert listed(cursor=cursor) == (ids[20:], None)
    found: list[str] = []
    page, cursor = listed(limit="7")
    while cursor is not None:
        found += page
        page, cursor = listed(limit="7", cursor=cursor)
    assert found + page == ids


def test_a_listed_job_is_the_job_without_what_changes_by_the_second(deployed: InMemoryBackend) -> None:
    (job_id,) = store(deployed, 1, status=JobStatus.SUCCEEDED, due_at=None, finished_at=NOW)
    (job,) = call("GET", "/v1/jobs")[2]["data"]
    assert job == call("GET", f"/v1/jobs/{job_id}")[2]


def test_images_in_the_list_have_links(deployed: InMemoryBackend) -> None:
    job = a_job()
    images = a_result(job.generation).images
    deployed.jobs.create(replace(job, status=JobStatus.SUCCEEDED, due_at=None, images=images))
    (view,) = call("GET", "/v1/jobs")[2]["data"]
    assert view["images"][0]["url"].startswith("https://signed/")


def test_filters_select_jobs(deployed: InMemoryBackend) -> None:
    (failed,) = store(deployed, 1, status=JobStatus.FAILED, due_at=None)
    (tagged,) = store(deployed, 1, tags=("project:a", "b"))
    other = a_job()
    other = replace(other, generation=other.generation.model_copy(update={"model": "other"}))
    deployed.jobs.create(other)
    assert listed(status="failed") == ([failed], None)
    assert listed(tag="project:a") == ([tagged], None)
    assert listed(model="other") == ([other.id], None)
    (circle,) = store(deployed, 1, generation=a_job(prompt="A Blue Circle").generation)
    assert listed(text="blue C") == ([circle], None)
    assert listed(model="other", tag="b") == ([], None)


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ({"limit": "0"}, {"#/limit"}),
        ({"limit": "101"}, {"#/limit"}),
        ({"limit": "many"}, {"#/limit"}),
        ({"limit": ""}, {"#/limit"}),
        ({"status": "done"}, {"#/status"}),
        ({"model": "NO SUCH"}, {"#/model"}),
        ({"tag": "a b"}, {"#/tag"}),
        ({"text": ""}, {"#/text"}),
        ({"text": "x" * 201}, {"#/text"}),
        ({"text": "\ud800"}, {"#/text"}),
        ({"cursor": "damaged"}, {"#/cursor"}),
        ({"cursor": ""}, {"#/cursor"}),
        ({"cursor": "x" * 100_000}, {"#/cursor"}),
        ({"colour": "red", "limit": "0"}, {"#/colour", "#/limit"}),
    ],
)
def test_an_invalid_parameter_is_named(
    deployed: InMemoryBackend, query: dict[str, str], pointers: set[str]
) -> None:
    assert refused(**query).keys() == pointers


def test_an_unknown_parameter_is_refused_with_a_similar_one(deployed: InMemoryBackend) -> None:
    assert refused(limits="5") == {"#/limits": "unknown field; did you mean limit?"}


def test_a_parameter_that_is_given_twice_is_named(deployed: InMemoryBackend) -> None:
    answer = send(
        "GET",
        "/v1/jobs",
        queryStringParameters={"tag": "b"},
        multiValueQueryStringParameters={"tag": ["a", "b"]},
    )
    errors = json.loads(answer.text)["errors"]
    assert (answer.status, errors) == (422, [{"pointer": "#/tag", "detail": "must be given once"}])


def test_a_cursor_belongs_to_its_caller_and_its_filters(deployed: InMemoryBackend) -> None:
    store(deployed, 3)
    cursor = listed(limit="1", status="queued")[1]
    assert cursor is not None
    assert listed(limit="2", status="queued", cursor=cursor)[0]
    assert refused(cursor=cursor).keys() == {"#/cursor"}
    assert refused(status="failed", cursor=cursor).keys() == {"#/cursor"}
    assert refused(status="queued", text="x", cursor=cursor).keys() == {"#/cursor"}
    status, _, _ = call("GET", "/v1/jobs", key="other", query={"status": "queued", "cursor": cursor})
    assert status == 422


def test_callers_see_their_own_jobs_unless_jobs_are_shared(
    deployed: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mine,) = store(deployed, 1)
    (others,) = store(deployed, 1, owner=Caller("key:other").id)
    assert {*listed()[0]} == {mine, others}
    service = replace(deployed.service, shared=False)
    monkeypatch.setattr("jobs.wiring.job_service", lambda: service)
    assert listed() == ([mine], None)
    assert listed(key="other") == ([others], None)


def a_large_job() -> Job:
    """A job whose view is about as large as it can be."""
    text = "\N{GRINNING FACE}" * 4000
    job = a_job(prompt=text, negative_prompt=text, count=4)
    job_id = new_job_id()
    generation = job.generation.model_copy(update={"id": job_id})
    return replace(job, generation=generation, tags=("\N{GREEK SMALL LETTER ALPHA}" * 64,) * MAX_TAGS)


def test_a_page_of_large_jobs_is_cut_below_lambdas_limit_and_continues(deployed: InMemoryBackend) -> None:
    jobs = [a_large_job() for _ in range(90)]
    for job in jobs:
        deployed.jobs.create(job)
    query = {"limit": "100"}
    pages = []
    while True:
        event = {"multiValueQueryStringParameters": {name: [value] for name, value in query.items()}}
        context = {"requestContext": {"requestId": "1", "identity": {"apiKeyId": "default"}}}
        answer = send("GET", "/v1/jobs", **event, **context)
        assert len(json.dumps({"statusCode": 200, "body": answer.text})) < 6_000_000
        document = json.loads(answer.text)
        pages.append([job["id"] for job in document["data"]])
        if document["next_cursor"] is None:
            break
        query["cursor"] = document["next_cursor"]
    assert len(pages) > 1
    found = [each for page in pages for each in page]
    assert found == sorted((job.id for job in jobs), reverse=True)
    assert all(newer[-1] > older[0] for newer, older in pairwise(pages))
