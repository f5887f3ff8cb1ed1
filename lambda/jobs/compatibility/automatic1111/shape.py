"""The paths of the web UI's API, and the form of its errors."""

from http import HTTPStatus

from pydantic import BaseModel, Field

from contract.api_paths import AUTOMATIC1111_PATHS
from contract.problem import FieldError, Problem
from jobs.http.responses import JSON, Response, json_response
from jobs.http.shape import Shape

PREFIX = "/sdapi/v1"


class WebUiFieldError(BaseModel):
    """An invalid field."""

    loc: tuple[str | int, ...] = Field(description="`body` and the path of the field.")
    msg: str = Field(description="What is wrong and what is allowed.")
    type: str = "value_error"


class WebUiError(BaseModel):
    """The form of all errors."""

    error: str = Field(description="Stable name of the error, as in the API's own errors.")
    detail: str | tuple[WebUiFieldError, ...] = Field(
        description="Description of the error and the remedy; a list if fields are invalid."
    )
    body: str = ""
    errors: str = Field(description="Description of the error and the remedy.")


def error_form(problem: Problem) -> Response:
    """An error, as the web UI's clients read it."""
    status = HTTPStatus(problem.status)
    has_fields = status is HTTPStatus.UNPROCESSABLE_ENTITY and problem.errors
    error = WebUiError(
        error=problem.code,
        detail=tuple(map(_field_error, problem.errors)) if has_fields else problem.detail,
        errors=problem.detail,
    )
    return json_response(status, error.model_dump_json())


def _field_error(error: FieldError) -> WebUiFieldError:
    parts = error.pointer.removeprefix("#").split("/")[1:]
    names = (part.replace("~1", "/").replace("~0", "~") for part in parts)
    path = (int(name) if name.isascii() and name.isdigit() else name for name in names)
    return WebUiFieldError(loc=("body", *path), msg=error.detail)


AUTOMATIC1111 = Shape(
    name="AUTOMATIC1111",
    description="The API of AUTOMATIC1111's web UI, for its clients: set their URL to this API's.",
    paths=AUTOMATIC1111_PATHS,
    problem_form=error_form,
    problem_model=WebUiError,
    problem_media_type=JSON,
)
