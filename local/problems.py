"""Problem documents of the local gateway."""

from starlette.responses import Response

from contract.problem import CONTENT_TYPE, ErrorCode, Problem


def problem_response(code: ErrorCode, detail: str, *, retry_after_s: int | None = None) -> Response:
    """The response with a problem; `retry_after_s` sets the header `Retry-After`."""
    problem = Problem.of(code, detail)
    response = Response(problem.model_dump_json(), problem.status, media_type=CONTENT_TYPE)
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response
