"""Shapes of the API: its own, and those that the clients of other systems know."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel

from contract.api_paths import is_path_of
from contract.problem import CONTENT_TYPE, Problem
from jobs.http.responses import ProblemForm, problem_response


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The paths of one API, and the form of its errors.

    Attributes:
        name: the tag of its operations in the OpenAPI document.
        description: of the tag.
        paths: patterns; see `contract.api_paths`. Errors of all these paths have the shape's form, also where
            there is no operation.
        problem_form: makes the response for an error. Its headers are completed by `error_response`.
        problem_model: the model of that response's body.
        problem_media_type: of that response.
        problem_headers: the names of further headers of that response; `openapi` describes them.
    """

    name: str
    description: str
    paths: tuple[str, ...]
    problem_form: ProblemForm
    problem_model: type[BaseModel]
    problem_media_type: str
    problem_headers: tuple[str, ...] = ()


NATIVE = Shape(
    name="Jobs",
    description="The API itself.",
    paths=("/*",),
    problem_form=problem_response,
    problem_model=Problem,
    problem_media_type=CONTENT_TYPE,
)


def shape_of(path: str, shapes: Iterable[Shape]) -> Shape:
    """The shape that a path belongs to."""
    return next((shape for shape in shapes if is_path_of(path, shape.paths)), NATIVE)
