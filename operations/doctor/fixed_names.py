"""Check of the names that a stage gives to its resources: another resource must not have them."""

from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from infra.config import DeploymentConfig
from infra.endpoint_names import endpoint_name, endpoint_parameter
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, error_code, failed, passed


@dataclass(frozen=True)
class FixedName:
    """A resource with a name that is not generated. CloudFormation fails to create it if the name is taken.

    Attributes:
        kind: the resource's type in CloudFormation.
        stack: the name of the stack that creates it.
    """

    kind: str
    name: str
    stack: str


def fixed_names(config: DeploymentConfig) -> list[FixedName]:
    """All resources of the stage whose names are not generated."""
    domain = config.api.domain
    of_api = [FixedName(_DOMAIN, domain.name, f"StableDiffusion-{config.stage}-Api")] if domain else []
    return of_api + [
        fixed
        for model in config.models
        for stack in (f"StableDiffusion-{config.stage}-Endpoint-{model.name}",)
        for fixed in (
            FixedName(_ENDPOINT, endpoint_name(config.stage, model), stack),
            FixedName(_PARAMETER, endpoint_parameter(config.stage, model.name), stack),
        )
    ]


@dataclass(frozen=True)
class FixedNames:
    """No resource outside the stage's stacks has a name that the stage needs."""

    aws: Aws
    names: tuple[FixedName, ...]
    name: str = "names"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        taken = [each for each in self.names if self._is_taken(each)]
        if taken:
            listed = "; ".join(f"{each.kind} {each.name} (for the stack {each.stack})" for each in taken)
            commands = ", ".join(_DELETIONS[each.kind].format(each.name) for each in taken)
            return failed(
                f"CloudFormation cannot create what exists already outside the stage's stacks: {listed}",
                f"delete it unless it is in use: {commands}",
            )
        return passed(f"none of {len(self.names)} is taken by a resource outside the stage's stacks")

    def _is_taken(self, fixed: FixedName) -> bool:
        physical_id = _LOOKUPS[fixed.kind](self.aws, fixed.name)
        return physical_id is not None and self._stack_of(physical_id) != fixed.stack

    def _stack_of(self, physical_id: str) -> str | None:
        """The stack that a resource belongs to; None for a resource outside of all stacks."""
        cloudformation = self.aws.client("cloudformation")
        try:
            found = cloudformation.describe_stack_resources(PhysicalResourceId=physical_id)["StackResources"]
        except ClientError as error:
            if error_code(error) != "ValidationError":
                raise
            return None
        stacks = (str(each["StackName"]) for each in found if each["PhysicalResourceId"] == physical_id)
        return next(stacks, None)


def _endpoint(aws: Aws, name: str) -> str | None:
    """The physical id of the endpoint, its ARN; None if there is none."""
    try:
        return str(aws.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointArn"])
    except ClientError as error:
        if error_code(error) != "ValidationException":
            raise
        return None


def _domain(aws: Aws, name: str) -> str | None:
    """The physical id of the API's domain name, the name; None if there is none."""
    try:
        return str(aws.client("apigateway").get_domain_name(domainName=name)["domainName"])
    except ClientError as error:
        if error_code(error) != "NotFoundException":
            raise
        return None


def _parameter(aws: Aws, name: str) -> str | None:
    """The physical id of the parameter, its name; None if there is none."""
    return name if aws.client("ssm").get_parameters(Names=[name])["Parameters"] else None


_ENDPOINT = "AWS::SageMaker::Endpoint"
_PARAMETER = "AWS::SSM::Parameter"
_DOMAIN = "AWS::ApiGateway::DomainName"
_LOOKUPS: dict[str, Callable[[Aws, str], str | None]] = {
    _ENDPOINT: _endpoint,
    _PARAMETER: _parameter,
    _DOMAIN: _domain,
}
_DELETIONS = {
    _ENDPOINT: "aws sagemaker delete-endpoint --endpoint-name {}",
    _PARAMETER: "aws ssm delete-parameter --name {}",
    _DOMAIN: "aws apigateway delete-domain-name --domain-name {}",
}
