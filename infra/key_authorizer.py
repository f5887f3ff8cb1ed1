"""The authorizer of API keys, which clients send in several headers."""

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from infra.alarms import AlarmTopics
from infra.config import DeploymentConfig
from infra.functions import JobsFunction

_TIMEOUT = cdk.Duration.seconds(5)


class KeyAuthorizer(Construct):
    """A Lambda authorizer that finds the key of a request; API Gateway compares it with the stage's keys.

    Its answers are not cached: API Gateway finds an answer in its cache by headers that every request must
    have, while a key may be in one of several headers.

    Attributes:
        authorizer: of the methods that require a key.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, config: DeploymentConfig, alarm_topics: AlarmTopics
    ) -> None:
        super().__init__(scope, construct_id)
        function = JobsFunction(
            self,
            "Read",
            handler="jobs.authorizer_handler.handler",
            description="Finds the API key in the headers of a request.",
            environment=None,
            timeout=_TIMEOUT,
            config=config,
            alarm_topics=alarm_topics,
        )
        self.authorizer = apigateway.RequestAuthorizer(
            self,
            "Authorizer",
            handler=function.function,
            identity_sources=[],
            results_cache_ttl=cdk.Duration.seconds(0),
        )
