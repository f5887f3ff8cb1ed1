"""The list of jobs."""

import json
from http import HTTPStatus
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contract.api_paths import JOBS_PATH
from contract.request import ModelName
from contract.submission import Tag
from contract.validation import validate
from jobs import wiring
from jobs.caller import Caller
from jobs.http.cursor import decode_cursor, encode_cursor
from jobs.http.job_response import job_view
from jobs.http.operation import Answer, Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response
from jobs.http.views.job import JobView
from jobs.job import JobFilters, JobPage, JobSnapshot
from jobs.lifecycle import JobStatus
from jobs.prompt_text import SEARCHED_CHARACTERS
from jobs.service import JobService

_MAX_BODY_BYTES = 5_500_000
"""Lambda's limit for a response is 6 MB, in which the body is a JSON string."""

_MAX_TEXT_CHARACTERS = 200


class JobListQuery(BaseModel):
    """The query parameters of the list of jobs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Annotated[JobStatus | None, Field(description="Jobs with this status.")] = None
    model: Annotated[ModelName | None, Field(description="Jobs of this model.")] = None
    tag: Annotated[Tag | None, Field(description="Jobs with this tag.")] = None
    text: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=_MAX_TEXT_CHARACTERS,
            description=(
                f"Jobs whose prompt contains this text within its first {SEARCHED_CHARACTERS:,} characters, "
                "without regard to case."
            ),
        ),
    ] = None
    limit: Annotated[int, Field(ge=1, le=100, description="Number of jobs at most.")] = 20
    cursor: Annotated[
        str | None,
        Field(
            max_length=200, description="The `next_cursor` of the previous response, with the same filters."
        ),
    ] = None


class JobList(BaseModel):
    """A part of the list of jobs, newest first."""

    data: tuple[JobView, ...] = Field(
        description="May have fewer jobs than `limit`, even none, although there are more."
    )
    next_cursor: str | None = Field(description="Continues the list; null at its end.")


def _list(request: Request) -> Response:
    """Returns the caller's jobs, newest first; every caller's in a stage with `shared_jobs`.

    The jobs have no `progress`, `position`, `eta_seconds` and `preview`; follow one for these.
    """
    query = validate(JobListQuery, request.single_query_values())
    service = wiring.job_service()
    scope = _scope(request.caller, query)
    before = None
    if query.cursor is not None:
        before = decode_cursor(query.cursor, secrets=wiring.signing_keys().read(), scope=scope)
    filters = JobFilters(status=query.status, model=query.model, tag=query.tag, text=query.text)
    page = service.list(request.caller, filters, limit=query.limit, before=before)
    documents, last_id = _within_limit(service, page)
    cursor = last_id and encode_cursor(last_id, secrets=wiring.signing_keys().read(), scope=scope)
    body = f'{{"data":[{",".join(documents)}],"next_cursor":{json.dumps(cursor)}}}'
    return json_response(HTTPStatus.OK, body)


def _scope(caller: Caller, query: JobListQuery) -> tuple[str | None, ...]:
    """The list that a cursor belongs to."""
    return (caller.id, query.status, query.model, query.tag, query.text)


def _within_limit(service: JobService, page: JobPage) -> tuple[list[str], str | None]:
    """The views of the page's first jobs, as JSON, that fit in a response; and the id to continue after."""
    documents: list[str] = []
    size = 0
    for index, job in enumerate(page.jobs):
        document = job_view(service, JobSnapshot(job=job)).model_dump_json()
        size += len(json.dumps(document))
        if documents and size > _MAX_BODY_BYTES:
            return documents, page.jobs[index - 1].id
        documents.append(document)
    return documents, page.last_id


OPERATIONS = (
    Operation(
        id="listJobs",
        method="GET",
        path=JOBS_PATH,
        handle=_list,
        summary="List jobs",
        query=JobListQuery,
        answers=(Answer(status=HTTPStatus.OK, description="A part of the list.", content=JobList),),
        problems={422: "A query parameter is unknown or invalid: `errors` names it."},
    ),
)
