"""Check of the names that a stage gives to its resources: another resource must not have them."""

from collections.abc import Callable, Iterator
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
        hosted_zone: the id of a record's hosted zone; empty for other types.
    """

    kind: str
    name: str
    stack: str
    hosted_zone: str = ""


def fixed_names(config: DeploymentConfig) -> Iterator[FixedName]:
    """All resources of the stage whose names are not generated."""
    domain = config.api.domain
    if domain is not None:
        stack = f"StableDiffusion-{config.stage}-Api"
        yield FixedName(_DOMAIN, domain.name, stack)
        if domain.hosted_zone_id is not None:
            yield FixedName(_RECORD, domain.name, stack, domain.hosted_zone_id)
    page = config.page.domain if config.page else None
    if page is not None:
        stack = f"StableDiffusion-{config.stage}-Web"
        yield FixedName(_DISTRIBUTION, page.name, stack)
        if page.hosted_zone_id is not None:
            yield FixedName(_RECORD, page.name, stack, page.hosted_zone_id)
    for model in config.models:
        stack = f"StableDiffusion-{config.stage}-Endpoint-{model.name}"
        yield FixedName(_ENDPOINT, endpoint_name(config.stage, model), stack)
        yield FixedName(_PARAMETER, endpoint_parameter(config.stage, model.name), stack)


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
            deletions = ", ".join(
                _KINDS[each.kind].deletion.format(each.name, zone=each.hosted_zone) for each in taken
            )
            return failed(
                f"CloudFormation cannot create what exists already outside the stage's stacks: {listed}",
                f"delete it unless it is in use: {deletions}",
            )
        return passed(f"none of {len(self.names)} is taken by a resource outside the stage's stacks")

    def _is_taken(self, fixed: FixedName) -> bool:
        physical_id = _KINDS[fixed.kind].lookup(self.aws, fixed)
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


def _endpoint(aws: Aws, fixed: FixedName) -> str | None:
    try:
        return str(aws.client("sagemaker").describe_endpoint(EndpointName=fixed.name)["EndpointArn"])
    except ClientError as error:
        if error_code(error) != "ValidationException":
            raise
        return None


def _domain(aws: Aws, fixed: FixedName) -> str | None:
    try:
        return str(aws.client("apigateway").get_domain_name(domainName=fixed.name)["domainName"])
    except ClientError as error:
        if error_code(error) != "NotFoundException":
            raise
        return None


def _record(aws: Aws, fixed: FixedName) -> str | None:
    """See `_Kind.lookup`. A CNAME record excludes every other record of its name."""
    records = aws.client("route53").list_resource_record_sets(
        HostedZoneId=fixed.hosted_zone, StartRecordName=fixed.name
    )["ResourceRecordSets"]
    taken = any(each["Name"] == f"{fixed.name}." and each["Type"] in ("A", "CNAME") for each in records)
    return fixed.name if taken else None


def _distribution(aws: Aws, fixed: FixedName) -> str | None:
    """See `_Kind.lookup`. Distributions of other accounts are not found."""
    pages = aws.client("cloudfront").get_paginator("list_distributions").paginate()
    distributions = (each for page in pages for each in page["DistributionList"].get("Items", []))
    ids = (each["Id"] for each in distributions if fixed.name in each["Aliases"].get("Items", []))
    return next(ids, None)


def _parameter(aws: Aws, fixed: FixedName) -> str | None:
    return fixed.name if aws.client("ssm").get_parameters(Names=[fixed.name])["Parameters"] else None


@dataclass(frozen=True)
class _Kind:
    """A type of resources with fixed names.

    Attributes:
        lookup: finds the resource's physical id in CloudFormation; None if it does not exist.
        deletion: a command or an instruction that deletes it, with its name in place of `{}`.
    """

    lookup: Callable[[Aws, FixedName], str | None]
    deletion: str


_ENDPOINT = "AWS::SageMaker::Endpoint"
_PARAMETER = "AWS::SSM::Parameter"
_DOMAIN = "AWS::ApiGateway::DomainName"
_DISTRIBUTION = "AWS::CloudFront::Distribution"
_RECORD = "AWS::Route53::RecordSet"
_KINDS = {
    _ENDPOINT: _Kind(_endpoint, "aws sagemaker delete-endpoint --endpoint-name {}"),
    _PARAMETER: _Kind(_parameter, "aws ssm delete-parameter --name {}"),
    _DOMAIN: _Kind(_domain, "aws apigateway delete-domain-name --domain-name {}"),
    _DISTRIBUTION: _Kind(_distribution, "remove the name {} from the distribution in CloudFront that has it"),
    _RECORD: _Kind(_record, "remove the record {} from the hosted zone {zone} in Route 53"),
}
