"""The methods of the API, and those among them that browsers call without authentication."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from infra.config import ApiConfig
from infra.nag import acknowledge

_DESCRIPTION_PATHS = ("v1/docs", "v1/openapi.json")
_DESCRIPTION_METHODS = ("GET", "HEAD", "OPTIONS")
_DESCRIPTION_RATE_LIMIT = 1
_DESCRIPTION_BURST_LIMIT = 5
_EVERY_PATH = ("v1/{proxy+}", "{proxy+}")


class PublicMethod(NamedTuple):
    """A method that needs no authentication.

    Attributes:
        path: without a slash at its beginning.
        rate_limit, burst_limit: of its own, so that it cannot use up those of the others.
        reason: of its being public, for the checks of the templates.
    """

    method: str
    path: str
    rate_limit: float
    burst_limit: int
    reason: str

    @property
    def permission(self) -> str:
        """The method in the resource of a policy."""
        return f"{self.method}/{self.path.replace('{proxy+}', '*')}"


def public_methods(config: ApiConfig) -> tuple[PublicMethod, ...]:
    """The description of the API; and preflights, if pages on other origins may call it.

    A browser sends a preflight for each address that it has not asked for lately: preflights are as frequent
    as requests.
    """
    methods = [
        PublicMethod(
            method,
            path,
            _DESCRIPTION_RATE_LIMIT,
            _DESCRIPTION_BURST_LIMIT,
            "Browsers cannot send a key or a token, and the API's description is no secret.",
        )
        for path in _DESCRIPTION_PATHS
        for method in _DESCRIPTION_METHODS
    ]
    if config.allowed_origins:
        reason = "Browsers send no key and no token with a preflight, whose answer is no secret."
        methods += [
            PublicMethod("OPTIONS", path, config.rate_limit, config.burst_limit, reason)
            for path in _EVERY_PATH
        ]
    return tuple(methods)


def method_options(
    public: Iterable[PublicMethod], settings: Mapping[str, Any]
) -> dict[str, apigateway.MethodDeploymentOptions]:
    """The stage's settings of the public methods: limits of their own, beside the settings of all methods."""
    return {
        f"/{each.path}/{each.method}": apigateway.MethodDeploymentOptions(
            throttling_rate_limit=each.rate_limit, throttling_burst_limit=each.burst_limit, **settings
        )
        for each in public
    }


def add_methods(
    rest_api: apigateway.RestApi,
    function: lambda_.IFunction,
    *,
    public: Iterable[PublicMethod],
    authentication: Mapping[str, Any],
    timeout: cdk.Duration,
) -> None:
    """Adds the methods, which all invoke the function.

    Args:
        rest_api: the API.
        function: answers all requests.
        public: the methods without authentication.
        authentication: the options of all others.
        timeout: of API Gateway for the function's answer.
    """
    integration = apigateway.LambdaIntegration(function, allow_test_invoke=False, timeout=timeout)
    root = rest_api.root
    v1 = root.add_resource("v1")
    resources: dict[str, apigateway.Resource] = {
        "v1/{proxy+}": v1.add_proxy(any_method=False),
        "{proxy+}": root.add_resource("{proxy+}"),  # add_proxy would copy each method to the root
        **{path: v1.add_resource(path.removeprefix("v1/")) for path in _DESCRIPTION_PATHS},
    }
    # All paths reach the function, which answers 404 to unknown ones: API Gateway has the same answer to an
    # unknown path as to an unsigned request.
    for resource in (root, *resources.values()):
        resource.add_method("ANY", integration, **authentication)
    for each in public:
        method = resources[each.path].add_method(
            each.method, integration, authorization_type=apigateway.AuthorizationType.NONE
        )
        acknowledge(method, {"APIG4": each.reason, "COG4": each.reason})
