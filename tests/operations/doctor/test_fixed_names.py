from typing import Any

import pytest

from operations.doctor.check import Status, run_check
from operations.doctor.fixed_names import FixedName, FixedNames, fixed_names
from tests.operations.configs import stage
from tests.operations.doctor.conftest import StubbedAws

ENDPOINT, PARAMETER = fixed_names(stage())
ARN = f"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{ENDPOINT.name}"


def check(aws: StubbedAws) -> FixedNames:
    return FixedNames(aws, (ENDPOINT, PARAMETER))


def endpoint(aws: StubbedAws, *, exists: bool) -> None:
    sagemaker = aws.stub("sagemaker")
    if not exists:
        sagemaker.add_client_error("describe_endpoint", "ValidationException", "Could not find endpoint")
        return
    response = {
        "EndpointName": ENDPOINT.name,
        "EndpointArn": ARN,
        "EndpointStatus": "Failed",
        "CreationTime": "2026-01-01T00:00:00Z",
        "LastModifiedTime": "2026-01-01T00:00:00Z",
    }
    sagemaker.add_response("describe_endpoint", response, {"EndpointName": ENDPOINT.name})


def parameter(aws: StubbedAws, *, exists: bool) -> None:
    found = [{"Name": PARAMETER.name}] if exists else []
    aws.stub("ssm").add_response("get_parameters", {"Parameters": found}, {"Names": [PARAMETER.name]})


def owner(aws: StubbedAws, physical_id: str, stack: str | None) -> None:
    cloudformation = aws.stub("cloudformation")
    if stack is None:
        cloudformation.add_client_error("describe_stack_resources", "ValidationError", "does not exist")
        return
    resource = {
        "StackName": stack,
        "LogicalResourceId": "Any",
        "PhysicalResourceId": physical_id,
        "ResourceType": "Any",
        "Timestamp": "2026-01-01T00:00:00Z",
        "ResourceStatus": "CREATE_COMPLETE",
    }
    cloudformation.add_response(
        "describe_stack_resources", {"StackResources": [resource]}, {"PhysicalResourceId": physical_id}
    )


def test_before_the_first_deployment_all_names_are_free(aws: StubbedAws) -> None:
    endpoint(aws, exists=False)
    parameter(aws, exists=False)
    assert check(aws).run().status is Status.PASS


def test_the_resources_of_the_stages_own_stacks_pass(aws: StubbedAws) -> None:
    endpoint(aws, exists=True)
    parameter(aws, exists=True)
    owner(aws, ARN, ENDPOINT.stack)
    owner(aws, PARAMETER.name, PARAMETER.stack)
    assert check(aws).run().status is Status.PASS


@pytest.mark.parametrize("stack", [None, "StableDiffusion-other-Endpoint-demo"])
def test_a_name_that_is_taken_fails_with_the_resource_and_its_deletion(
    aws: StubbedAws, stack: str | None
) -> None:
    endpoint(aws, exists=True)
    parameter(aws, exists=True)
    owner(aws, ARN, stack)
    owner(aws, PARAMETER.name, PARAMETER.stack)
    result = check(aws).run()
    assert result.status is Status.FAIL
    assert f"AWS::SageMaker::Endpoint {ENDPOINT.name} (for the stack {ENDPOINT.stack})" in result.message
    assert PARAMETER.name not in result.message
    assert f"aws sagemaker delete-endpoint --endpoint-name {ENDPOINT.name}" in result.remedy


@pytest.mark.parametrize(
    ("exists", "owned_by", "status"),
    [
        (False, None, Status.PASS),
        (True, "StableDiffusion-dev-Api", Status.PASS),
        (True, None, Status.FAIL),
    ],
)
def test_the_domain_of_the_api_may_be_that_of_the_stage_only(
    aws: StubbedAws, *, exists: bool, owned_by: str | None, status: Status
) -> None:
    domain = FixedName("AWS::ApiGateway::DomainName", "images.example.com", "StableDiffusion-dev-Api")
    if exists:
        aws.stub("apigateway").add_response("get_domain_name", {"domainName": domain.name})
        owner(aws, domain.name, owned_by)
    else:
        aws.stub("apigateway").add_client_error("get_domain_name", "NotFoundException", "no such name")
    result = FixedNames(aws, (domain,)).run()
    assert result.status is status
    assert ("delete-domain-name --domain-name images.example.com" in result.remedy) is (status is Status.FAIL)


def test_without_permission_the_names_are_skipped(aws: StubbedAws) -> None:
    aws.deny("sagemaker", "describe_endpoint")
    assert run_check(check(aws)).status is Status.SKIPPED


def distribution(id_: str, aliases: list[str]) -> dict[str, Any]:
    """A distribution as CloudFront lists it."""
    none: dict[str, Any] = {"Quantity": 0}
    return {
        "Id": id_,
        "ARN": f"arn:aws:cloudfront::123456789012:distribution/{id_}",
        "Status": "Deployed",
        "LastModifiedTime": "2026-01-01T00:00:00Z",
        "DomainName": "d1.cloudfront.net",
        "Aliases": {"Quantity": len(aliases), "Items": aliases},
        "Origins": {"Quantity": 1, "Items": [{"Id": "a", "DomainName": "example.com"}]},
        "DefaultCacheBehavior": {"TargetOriginId": "a", "ViewerProtocolPolicy": "https-only"},
        "CacheBehaviors": none,
        "CustomErrorResponses": none,
        "Comment": "",
        "PriceClass": "PriceClass_All",
        "Enabled": True,
        "ViewerCertificate": {},
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", **none}},
        "WebACLId": "",
        "HttpVersion": "http2and3",
        "IsIPV6Enabled": True,
        "Staging": False,
    }


@pytest.mark.parametrize(
    ("aliases", "owned_by", "status"),
    [
        ([], None, Status.PASS),
        (["other.example.com"], None, Status.PASS),
        (["page.example.com"], "StableDiffusion-dev-Web", Status.PASS),
        (["page.example.com"], None, Status.FAIL),
    ],
)
def test_the_name_of_the_page_may_be_that_of_the_stages_distribution_only(
    aws: StubbedAws, aliases: list[str], owned_by: str | None, status: Status
) -> None:
    name = FixedName("AWS::CloudFront::Distribution", "page.example.com", "StableDiffusion-dev-Web")
    listed = {
        "Marker": "",
        "MaxItems": 100,
        "IsTruncated": False,
        "Quantity": 1,
        "Items": [distribution("E1ABC", aliases)],
    }
    aws.stub("cloudfront").add_response("list_distributions", {"DistributionList": listed})
    if aliases == ["page.example.com"]:
        owner(aws, "E1ABC", owned_by)
    result = FixedNames(aws, (name,)).run()
    assert result.status is status
    assert ("remove the name page.example.com from the distribution" in result.remedy) is (
        status is Status.FAIL
    )


@pytest.mark.parametrize(
    ("name", "kind", "owned_by", "status"),
    [
        ("images.example.com.", "A", None, Status.FAIL),
        ("images.example.com.", "CNAME", None, Status.FAIL),
        ("images.example.com.", "A", "StableDiffusion-dev-Api", Status.PASS),
        ("images.example.com.", "TXT", None, Status.PASS),
        ("other.example.com.", "A", None, Status.PASS),
    ],
)
def test_a_record_of_the_domain_may_be_that_of_the_stage_only(
    aws: StubbedAws, name: str, kind: str, owned_by: str | None, status: Status
) -> None:
    record = FixedName("AWS::Route53::RecordSet", "images.example.com", "StableDiffusion-dev-Api", "Z0ABC")
    aws.stub("route53").add_response(
        "list_resource_record_sets",
        {"ResourceRecordSets": [{"Name": name, "Type": kind}], "IsTruncated": False, "MaxItems": "100"},
        {"HostedZoneId": "Z0ABC", "StartRecordName": record.name},
    )
    if owned_by or status is Status.FAIL:
        owner(aws, record.name, owned_by)
    result = FixedNames(aws, (record,)).run()
    assert result.status is status
    if status is Status.FAIL:
        assert "remove the record images.example.com from the hosted zone Z0ABC" in result.remedy
