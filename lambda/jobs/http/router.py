"""Routing of requests to operations."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from contract.problem import ErrorCode, ProblemError
from jobs.http.operation import Operation
from jobs.http.request import Request
from jobs.http.responses import Response, error_response
from jobs.http.shape import Shape, shape_of


@dataclass(frozen=True)
class _Route:
    """A path and its operations by method."""

    pattern: re.Pattern[str]
    operations: dict[str, Operation] = field(default_factory=dict)

    @property
    def allowed(self) -> str:
        """The value of the header Allow."""
        methods = {*self.operations, "OPTIONS"} | ({"HEAD"} if "GET" in self.operations else set())
        return ", ".join(sorted(methods))


class Router:
    """Dispatch by path and method. OPTIONS is answered with the methods of the path."""

    def __init__(self, operations: Iterable[Operation], shapes: Iterable[Shape]) -> None:
        """Creates the router.

        Args:
            operations: all operations.
            shapes: the shapes of paths other than the API's own.
        """
        self._shapes = tuple(shapes)
        self._routes: dict[str, _Route] = {}
        for operation in operations:
            pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(operation.path)))
            route = self._routes.setdefault(operation.path, _Route(pattern))
            route.operations[operation.method] = operation

    def dispatch(self, request: Request) -> Response:
        """Calls the operation's function.

        Raises:
            ProblemError: there is no such path, or the operation's function has raised it.
        """
        for route in self._routes.values():
            if match := route.pattern.fullmatch(request.path):
                operation = route.operations.get(request.method)
                if operation is not None:
                    return operation.handle(replace(request, path_parameters=match.groupdict()))
                return self._other_method(request, route.allowed)
        detail = "GET /v1/openapi.json returns the API's description."
        raise ProblemError(detail, code=ErrorCode.ROUTE_NOT_FOUND)

    def fail(self, request: Request, error: ProblemError, **headers: str) -> Response:
        """The response to a request that has failed, in the form of the path's shape."""
        return error_response(error, request.id, shape_of(request.path, self._shapes).problem_form, **headers)

    def _other_method(self, request: Request, allowed: str) -> Response:
        if request.method == "OPTIONS":
            return Response(status=HTTPStatus.NO_CONTENT, headers={"Allow": allowed})
        detail = f"The methods of this path are {allowed}."
        return self.fail(request, ProblemError(detail, code=ErrorCode.METHOD_NOT_ALLOWED), Allow=allowed)
