"""Responses with a job: its view, ETag and Retry-After."""

import hashlib
from http import HTTPStatus

from jobs.http.request import Request
from jobs.http.responses import Response, json_response
from jobs.http.views.job import JobView
from jobs.job import JobSnapshot
from jobs.retry_after import retry_after_s
from jobs.service import JobService

_LINK_WINDOW_S = 1800
"""Half of the lifetime of links: a client whose copy of a job is still current has working links in it."""


def job_response(
    status: HTTPStatus, service: JobService, snapshot: JobSnapshot, request: Request | None = None
) -> Response:
    """A job's view; 304 without it if the request's If-None-Match says that the client has it.

    Args:
        status: of the response with the view.
        service: signs the links.
        snapshot: the job.
        request: a conditional request; None: the response has no ETag.
    """
    view = job_view(service, snapshot)
    headers = {}
    if not view.status.is_terminal:
        headers["Retry-After"] = str(retry_after_s(snapshot))
    if request is not None:
        headers["ETag"] = etag(view)
        if _matches(request.headers.get("if-none-match", ""), headers["ETag"]):
            return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return json_response(status, view.model_dump_json(), **headers)


def job_view(service: JobService, snapshot: JobSnapshot) -> JobView:
    """The view of a job, with links."""
    return JobView.of(snapshot, bucket=service.data_bucket_name, presign=service.documents.presign)


def etag(view: JobView) -> str:
    """A strong entity tag: the hash of the view without its links, and of the half hour in which they end.

    Links differ in every response and work for an hour, or until the credentials that signed them end.
    """
    digest = hashlib.sha256(view.without_links().model_dump_json().encode())
    ends = view.link_ends()
    if ends:
        digest.update(str(int(min(ends).timestamp()) // _LINK_WINDOW_S).encode())
    return f'"{digest.hexdigest()[:32]}"'


def _matches(if_none_match: str, tag: str) -> bool:
    """Whether the header names the tag. The comparison is weak, as RFC 9110 requires."""
    candidates = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return tag in candidates or "*" in candidates
