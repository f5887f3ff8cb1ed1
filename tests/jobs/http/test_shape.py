"""Shapes: the form of errors below their paths."""

import json
from http import HTTPStatus

import pytest
from pydantic import BaseModel

from contract.api_paths import COMPATIBLE_PATHS, is_path_of
from contract.problem import ErrorCode, Problem, ProblemError
from jobs.errors import EndpointUnavailableError
from jobs.http.caller import ANONYMOUS
from jobs.http.operation import Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response
from jobs.http.router import Router
from jobs.http.routes import OPERATIONS, SHAPES
from jobs.http.shape import NATIVE, Shape, shape_of


class Refusal(BaseModel):
    """The errors of the shape."""

    message: str


def refusal(problem: Problem) -> Response:
    """The form of the shape's errors."""
    return json_response(HTTPStatus.BAD_REQUEST, Refusal(message=problem.detail).model_dump_json())


def unavailable(_request: Request) -> Response:
    """Fails."""
    raise EndpointUnavailableError("Not now.")


SHAPE = Shape(
    name="Other",
    description="Another API.",
    paths=("/other/*", "/single"),
    problem_form=refusal,
    problem_model=Refusal,
    problem_media_type="application/json",
)
ROUTER = Router(
    [Operation(id="x", method="POST", path="/other/{name}", handle=unavailable, summary="", answers=())],
    [SHAPE],
)


def request(method: str, path: str) -> Request:
    return Request(id="api-1", method=method, path=path, caller=ANONYMOUS)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/other/a", SHAPE),
        ("/other/a/b", SHAPE),
        ("/single", SHAPE),
        ("/single/a", NATIVE),
        ("/other", NATIVE),
    ],
)
def test_a_path_belongs_to_the_shape_of_its_pattern(path: str, form: Shape) -> None:
    assert shape_of(path, [SHAPE]) is form


def test_errors_below_a_shapes_paths_have_its_form() -> None:
    other = ROUTER.dispatch(request("PUT", "/other/a"))
    assert json.loads(other.body) == {"message": "The methods of this path are OPTIONS, POST."}
    assert other.headers == {"Content-Type": "application/json", "Allow": "OPTIONS, POST"}

    unknown = ProblemError("There is none.", code=ErrorCode.ROUTE_NOT_FOUND)
    assert json.loads(ROUTER.fail(request("GET", "/single"), unknown).body) == {"message": "There is none."}
    assert json.loads(ROUTER.fail(request("GET", "/v1"), unknown).body)["code"] == "route_not_found"


def test_an_errors_retry_after_is_in_every_form() -> None:
    failed = request("POST", "/other/a")
    with pytest.raises(EndpointUnavailableError) as caught:
        ROUTER.dispatch(failed)
    for path in ("/other/a", "/v1/jobs"):
        assert ROUTER.fail(request("POST", path), caught.value).headers["Retry-After"] == "5"


def test_each_operation_on_a_compatible_path_has_a_shape() -> None:
    for operation in OPERATIONS:
        is_native = shape_of(operation.path, SHAPES) is NATIVE
        assert is_native is not is_path_of(operation.path, COMPATIBLE_PATHS), operation.path
