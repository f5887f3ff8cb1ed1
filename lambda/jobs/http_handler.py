"""Lambda handler of the HTTP API."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from contract.problem import ErrorCode, ProblemError
from jobs import wiring
from jobs.http.cors import with_cors
from jobs.http.request import Request
from jobs.http.responses import Response
from jobs.http.router import Router
from jobs.http.routes import OPERATIONS, SHAPES

logger = Logger()
router = Router(OPERATIONS, SHAPES)
for build in (wiring.job_service, wiring.adapters, wiring.settings_store):
    build()  # while the function is initialized, so that SnapStart's snapshot contains the clients


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Handles one request. The response to HEAD is that to GET, without its body."""
    request = Request.of(event)
    response = with_cors(request, _respond(request), wiring.allowed_origins()).for_api_gateway()
    return {**response, "body": ""} if event["httpMethod"] == "HEAD" else response


def _respond(request: Request) -> Response:
    try:
        return router.dispatch(request)
    except ProblemError as error:
        return router.fail(request, error)
    except Exception:
        logger.exception("the request failed")
        detail = "The service failed; try again, and report the request id if the error persists."
        return router.fail(request, ProblemError(detail, code=ErrorCode.INTERNAL))
