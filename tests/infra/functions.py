"""Access to the Lambda functions of the Api stack and to their policies."""

from typing import Any

from tests.infra.conftest import Templates

API = "jobs.http_handler.handler"
COMPLETION = "jobs.completion_handler.handler"
WEBHOOKS = "jobs.webhook_handler.handler"
AUTHORIZER = "jobs.authorizer_handler.handler"
HANDLERS = (API, COMPLETION, WEBHOOKS, AUTHORIZER)


def function(templates: Templates, handler: str) -> Any:
    """The properties of the function with this handler."""
    ((_, resource),) = templates.api.find_resources(
        "AWS::Lambda::Function", {"Properties": {"Handler": handler}}
    ).items()
    return resource["Properties"]


def variables(templates: Templates, handler: str) -> dict[str, str]:
    """The function's environment variables, with `deployed` in place of references."""
    environment = function(templates, handler)["Environment"]["Variables"]
    return {name: resolved(value) for name, value in environment.items()}


def resolved(value: Any) -> str:
    return "".join(_pieces(value))


def _pieces(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if "Fn::Join" in value:
        return [piece for part in value["Fn::Join"][1] for piece in _pieces(part)]
    return ["deployed"]


def statements(templates: Templates, handler: str) -> list[Any]:
    """The policy statements of the function's role."""
    role = function(templates, handler)["Role"]["Fn::GetAtt"][0]
    policies = templates.api.find_resources("AWS::IAM::Policy", {"Properties": {"Roles": [{"Ref": role}]}})
    return [
        each for policy in policies.values() for each in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def actions(statement: Any) -> list[str]:
    return statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]


def arns(templates: Templates, handler: str, action: str) -> list[Any]:
    """The resources on which the function's role allows the action."""
    found = [each["Resource"] for each in statements(templates, handler) if action in actions(each)]
    return [arn for each in found for arn in (each if isinstance(each, list) else [each])]


def prefixes(templates: Templates, handler: str, action: str) -> set[str]:
    """The prefixes of objects on which the function's role allows the action."""
    return {arn["Fn::Join"][1][-1] for arn in arns(templates, handler, action)}
