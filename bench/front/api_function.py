"""The function of the HTTP API in a local stack."""

from local.stack import LocalStack

_HANDLER = "jobs.http_handler.handler"


def variables(stack: LocalStack) -> dict[str, str]:
    """The function's environment variables, without those that Lambda adds."""
    functions = stack.aws.client("lambda").list_functions()["Functions"]
    (function,) = (each for each in functions if each["Handler"] == _HANDLER)
    found: dict[str, str] = function["Environment"]["Variables"]
    return found
