"""Operations on one job: submit, follow, tag, cancel, delete."""

import re
from http import HTTPStatus

from contract.api_paths import JOBS_PATH
from contract.document import MalformedRequestError, parse_document
from contract.generation import InvalidRequestError
from contract.problem import FieldError
from contract.submission import JobSubmission, JobUpdate
from contract.validation import parse_request, validate
from jobs import wiring
from jobs.http.job_response import job_response
from jobs.http.operation import Answer, Operation
from jobs.http.path import job_id_of
from jobs.http.request import Request
from jobs.http.responses import Response
from jobs.http.views.job import JobView
from jobs.idempotency import IdempotencyKey
from jobs.job import JobSnapshot

IDEMPOTENCY_KEY = "Idempotency-Key"
_PRINTABLE_ASCII = re.compile(r"[\x20-\x7e]{1,255}")


def _submit(request: Request) -> Response:
    """Stores a job, submits it to its model's endpoint and returns without waiting for it.

    A request with an `Idempotency-Key` may be sent again for 24 hours: the response is the job that the first
    one created, in its current state.
    """
    service = wiring.job_service()
    if not request.body:
        raise MalformedRequestError("is empty")
    submission = parse_request(JobSubmission, request.body, service.catalog.find)
    job = service.submit(submission, request.caller, _idempotency_key(request))
    response = job_response(HTTPStatus.ACCEPTED, service, JobSnapshot(job=job))
    # relative, since the path of a stage's URL begins with the stage's name
    response.headers["Location"] = f"jobs/{job.id}"
    return response


def _follow(request: Request) -> Response:
    """Returns the job. While it is unfinished, Retry-After is the seconds to wait between requests."""
    service = wiring.job_service()
    return job_response(HTTPStatus.OK, service, service.follow(job_id_of(request), request.caller), request)


def _update(request: Request) -> Response:
    """Replaces the tags of the job, whatever its status is."""
    update = validate(JobUpdate, parse_document(request.body or ""))
    service = wiring.job_service()
    return job_response(HTTPStatus.OK, service, service.update(job_id_of(request), update, request.caller))


def _cancel(request: Request) -> Response:
    """Requests that the job stop; may be repeated. Follow the job until its `status` is `canceled`."""
    service = wiring.job_service()
    return job_response(HTTPStatus.ACCEPTED, service, service.cancel(job_id_of(request), request.caller))


def _delete(request: Request) -> Response:
    """Deletes the record, the inputs and the images of a job that has ended."""
    wiring.job_service().delete(job_id_of(request), request.caller)
    return Response(status=HTTPStatus.NO_CONTENT)


def _idempotency_key(request: Request) -> IdempotencyKey | None:
    key = request.headers.get(IDEMPOTENCY_KEY.lower())
    if key is None:
        return None
    if _PRINTABLE_ASCII.fullmatch(key) is None:
        detail = "must be 1 to 255 printable ASCII characters, such as a UUID"
        raise InvalidRequestError((FieldError(pointer=f"#/{IDEMPOTENCY_KEY}", detail=detail),))
    return IdempotencyKey(text=key)


_NO_JOB = "There is no such job."
OPERATIONS = (
    Operation(
        id="submitJob",
        method="POST",
        path=JOBS_PATH,
        handle=_submit,
        summary="Submit a job",
        body=JobSubmission,
        headers={
            IDEMPOTENCY_KEY: "1 to 255 printable ASCII characters, such as a UUID; a new one for each job."
        },
        answers=(
            Answer(
                status=HTTPStatus.ACCEPTED,
                description="The job is queued; its images will be stored at `output_s3_uris`.",
                content=JobView,
                headers=("Location", "Retry-After"),
            ),
        ),
        problems={
            400: "The body is not a JSON object, or is nested too deep or has too many values.",
            404: "There is no such model.",
            409: "The first request with this `Idempotency-Key` is being processed; send it again.",
            413: "The body is too large.",
            422: (
                "The request is not valid: `errors` names the fields. Or the `Idempotency-Key` was used for "
                "another request."
            ),
            503: "The model's endpoint did not accept the job.",
        },
    ),
    Operation(
        id="getJob",
        method="GET",
        path=f"{JOBS_PATH}/{{job_id}}",
        handle=_follow,
        summary="Follow a job",
        headers={"If-None-Match": "The `ETag` of the response that the client has."},
        answers=(
            Answer(
                status=HTTPStatus.OK,
                description="The job's current state.",
                content=JobView,
                headers=("ETag", "Retry-After"),
            ),
            Answer(
                status=HTTPStatus.NOT_MODIFIED,
                description="The client's copy is current, and its links still work.",
                headers=("ETag", "Retry-After"),
            ),
        ),
        problems={404: _NO_JOB},
    ),
    Operation(
        id="updateJob",
        method="PATCH",
        path=f"{JOBS_PATH}/{{job_id}}",
        handle=_update,
        summary="Change the tags of a job",
        body=JobUpdate,
        answers=(
            Answer(
                status=HTTPStatus.OK,
                description="The job with the new tags.",
                content=JobView,
                headers=("Retry-After",),
            ),
        ),
        problems={
            400: "The body is not a JSON object.",
            404: _NO_JOB,
            413: "The body is too large.",
            422: "The request is not valid: `errors` names the fields.",
        },
    ),
    Operation(
        id="cancelJob",
        method="POST",
        path=f"{JOBS_PATH}/{{job_id}}/cancel",
        handle=_cancel,
        summary="Cancel a job",
        answers=(
            Answer(
                status=HTTPStatus.ACCEPTED,
                description="The job will not start, or will stop, unless it finishes first.",
                content=JobView,
                headers=("Retry-After",),
            ),
        ),
        problems={
            404: _NO_JOB,
            409: "The job has already ended.",
            413: "The body is too large.",
            503: "The cancellation could not be stored; send it again.",
        },
    ),
    Operation(
        id="deleteJob",
        method="DELETE",
        path=f"{JOBS_PATH}/{{job_id}}",
        handle=_delete,
        summary="Delete a job",
        answers=(
            Answer(
                status=HTTPStatus.NO_CONTENT, description="The job, its inputs and its images are deleted."
            ),
        ),
        problems={
            404: _NO_JOB,
            409: "The job has not ended; cancel it first.",
            503: "Files of the job could not be deleted; send the request again.",
        },
    ),
)
