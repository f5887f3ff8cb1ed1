"""The progress and the interruption of the caller's jobs."""

from http import HTTPStatus

from contract.validation import validate
from jobs import wiring
from jobs.compatibility.automatic1111.progress import MAX_PREVIEW_BYTES, ProgressQuery, WebUiProgress
from jobs.compatibility.automatic1111.shape import PREFIX
from jobs.compatibility.automatic1111.unfinished import interrupt, unfinished_jobs
from jobs.errors import FileTooLargeError
from jobs.http.operation import Answer, Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response
from jobs.job import JobSnapshot
from jobs.service import JobService


def _progress(request: Request) -> Response:
    """Returns the progress of the caller's oldest unfinished job of this API; that of a running one first."""
    query = validate(ProgressQuery, request.single_query_values())
    service = wiring.job_service()
    jobs = unfinished_jobs(service, request.caller)
    snapshot = service.follow(jobs[0].id, request.caller) if jobs else None
    if snapshot is None or snapshot.job.status.is_terminal:
        return json_response(HTTPStatus.OK, WebUiProgress.of(None, (), None).model_dump_json())
    preview = None if query.skip_current_image else _preview(service, snapshot)
    return json_response(HTTPStatus.OK, WebUiProgress.of(snapshot, jobs, preview).model_dump_json())


def _preview(service: JobService, snapshot: JobSnapshot) -> bytes | None:
    if snapshot.preview_uri is None:
        return None
    try:
        return service.documents.read_image(snapshot.preview_uri, max_bytes=MAX_PREVIEW_BYTES)
    except FileTooLargeError:
        return None


def _interrupt(request: Request) -> Response:
    """Cancels all unfinished jobs that the caller has submitted with this API."""
    interrupt(wiring.job_service(), request.caller)
    return json_response(HTTPStatus.OK, "{}")


OPERATIONS = (
    Operation(
        id="webUiProgress",
        method="GET",
        path=f"{PREFIX}/progress",
        handle=_progress,
        summary="The progress",
        query=ProgressQuery,
        answers=(Answer(status=HTTPStatus.OK, description="The progress.", content=WebUiProgress),),
        problems={422: "A query parameter is unknown or invalid: `detail` names it."},
    ),
    Operation(
        id="webUiInterrupt",
        method="POST",
        path=f"{PREFIX}/interrupt",
        handle=_interrupt,
        summary="Cancel the caller's jobs of this API",
        answers=(Answer(status=HTTPStatus.OK, description="An empty object.", content=dict),),
        problems={413: "The body is too large.", 503: "A cancellation could not be stored; send it again."},
    ),
)
