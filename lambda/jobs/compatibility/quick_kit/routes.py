"""The operations of the page's API."""

from http import HTTPStatus

from contract.problem import MAX_ECHOED_CHARACTERS, ErrorCode, Problem
from jobs import wiring
from jobs.compatibility.field_names import fields_named
from jobs.compatibility.object_links import ObjectLinks
from jobs.compatibility.quick_kit.request import NAMES, TaskRequest, parse_task
from jobs.compatibility.quick_kit.task import PageModelList, Task, TaskError, TaskStatus, TaskSubmitted
from jobs.compatibility.quick_kit.upload import PageUpload, UploadedImage, parse_upload
from jobs.http.operation import Answer, Operation
from jobs.http.path import job_id_of
from jobs.http.request import Request
from jobs.http.responses import Response, json_response
from jobs.job import Job
from jobs.lifecycle import JobStatus
from jobs.service import JobService

_ENDPOINT_HEADER = "X-SM-Endpoint"


def _submit(request: Request) -> Response:
    """Submits a job and returns its id without waiting for it."""
    service = wiring.job_service()
    name = request.headers.get(_ENDPOINT_HEADER.lower(), "")[:MAX_ECHOED_CHARACTERS]
    model = service.catalog.find(name or None)
    submission = parse_task(request.body or "", model.name, _links(service).uri)
    with fields_named(NAMES):
        job = service.submit(submission, request.caller)
    return json_response(HTTPStatus.OK, TaskSubmitted(task_id=job.id).model_dump_json())


def _get_task(request: Request) -> Response:
    """Returns a task. One that has failed is an error, whose `status` is `Failed`."""
    service = wiring.job_service()
    job = service.follow(job_id_of(request), request.caller).job
    if job.status.is_terminal and job.status is not JobStatus.SUCCEEDED:
        return _failure(job)
    return json_response(HTTPStatus.OK, Task.of(job, _links(service).link).model_dump_json())


def _list_models(_request: Request) -> Response:
    """Returns all models."""
    return json_response(HTTPStatus.OK, PageModelList.of(wiring.job_service().catalog).model_dump_json())


def _upload(request: Request) -> Response:
    """Stores an image of up to 4 MB. Requests then name it by the link that is returned."""
    service = wiring.job_service()
    data, media_type = parse_upload(request.body or "")
    uri = service.store_upload(data, media_type, request.caller)
    view = UploadedImage(upload_file=service.documents.presign(uri).url)
    return json_response(HTTPStatus.OK, view.model_dump_json())


def _failure(job: Job) -> Response:
    problem = job.error or Problem.of(ErrorCode.CANCELED, "The task was canceled.")
    error = TaskError(status=TaskStatus.FAILED, msg=problem.detail)
    return json_response(HTTPStatus(problem.status), error.model_dump_json())


def _links(service: JobService) -> ObjectLinks:
    return ObjectLinks(service.data_bucket_name, service.documents.presign)


_BODY_PROBLEMS = {
    400: "The body is not a JSON object.",
    413: "The body is too large.",
    422: "Fields are not valid: `msg` names them.",
}
_FAILURES = {
    409: "The task was canceled.",
    422: "The task has failed.",
    504: "The task was not finished in time.",
    507: "The images do not fit in GPU memory.",
}
OPERATIONS = (
    Operation(
        id="submitTask",
        method="POST",
        path="/async_hander",
        handle=_submit,
        summary="Submit a task",
        body=TaskRequest,
        headers={_ENDPOINT_HEADER: "Name of the model, from `GET /config`; by default the default model."},
        answers=(Answer(status=HTTPStatus.OK, description="The task's id.", content=TaskSubmitted),),
        problems=_BODY_PROBLEMS | {404: "There is no such model."},
    ),
    Operation(
        id="getTask",
        method="GET",
        path="/task/{job_id}",
        handle=_get_task,
        summary="Get a task",
        answers=(
            Answer(status=HTTPStatus.OK, description="The task is pending or completed.", content=Task),
        ),
        problems=_FAILURES | {404: "There is no such task."},
    ),
    Operation(
        id="listPageModels",
        method="GET",
        path="/config",
        handle=_list_models,
        summary="List the models",
        answers=(Answer(status=HTTPStatus.OK, description="All models.", content=PageModelList),),
    ),
    Operation(
        id="uploadPageImage",
        method="POST",
        path="/upload_handler",
        handle=_upload,
        summary="Upload an image",
        body=PageUpload,
        answers=(Answer(status=HTTPStatus.OK, description="The link to the image.", content=UploadedImage),),
        problems=_BODY_PROBLEMS,
    ),
)
