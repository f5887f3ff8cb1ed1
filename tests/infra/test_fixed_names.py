"""Names that are not generated, in all templates, by the identifiers in CloudFormation's resource schemas."""

from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from infra.config import DeploymentConfig
from operations.doctor.fixed_names import FixedName, fixed_names
from tests.infra.conftest import LARGE, SMALL, Templates, synthesize

SCOPED = {"AWS::IAM::Policy"}
"""Types whose names are unique among the resources of a parent only, although they have a generated id."""


def identifiers(kind: str) -> list[list[str]]:
    """The properties that must be unique in an account and region, as alternatives.

    They are the identifiers that AWS does not generate. Of a type that is identified by its ARN or by a
    generated id, it is the name, such as `EndpointName`.
    """
    schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    read_only = set(schema.get("readOnlyProperties", []))
    alternatives = [schema["primaryIdentifier"], *schema.get("additionalIdentifiers", [])]
    chosen = [
        [pointer.rpartition("/")[2] for pointer in pointers]
        for pointers in alternatives
        if read_only.isdisjoint(pointers)
    ]
    name = f"{kind.rpartition('::')[2]}Name"
    if not chosen and name in schema["properties"] and kind not in SCOPED:
        return [[name]]
    return chosen


def is_fixed(value: Any) -> bool:
    """Whether a value is the same in every deployment: it refers to no other resource."""
    match value:
        case str():
            return True
        case {"Ref": str(name)}:
            return name.startswith("AWS::")
        case {"Fn::Join": [_, parts]}:
            return all(map(is_fixed, parts))
        case _:
            return False


def names_of(resource: dict[str, Any]) -> list[Any]:
    """The resource's identifiers, and the names of a distribution, which no other one may have."""
    properties = resource.get("Properties", {})
    aliases = properties.get("DistributionConfig", {}).get("Aliases", [])
    given = [
        [properties[name] for name in names if name in properties] for names in identifiers(resource["Type"])
    ]
    return [values[0] for values in given if values and all(map(is_fixed, values))] + aliases


def found(templates: Templates) -> dict[FixedName, dict[str, Any]]:
    """The resources with a fixed name. Omitted parts of an identifier do not make it unique."""
    return {
        FixedName(
            resource["Type"],
            str(name),
            f"StableDiffusion-test-{stack}",
            str(resource.get("Properties", {}).get("HostedZoneId", "")),
        ): resource
        for stack, template in templates.by_stack.items()
        for resource in template.to_json()["Resources"].values()
        if resource["Type"].startswith("AWS::")
        for name in names_of(resource)
    }


POOL = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abc"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a"
DOMAIN = {"name": "images.example.com", "certificate_arn": CERTIFICATE, "hosted_zone_id": "Z0ABC"}
STAGES = {
    "small": SMALL,
    "large": LARGE,
    "domain": SMALL | {"api": {"auth": {"type": "cognito", "user_pool_arn": POOL}, "domain": DOMAIN}},
    "page": SMALL
    | {
        "keep_data": False,
        "api": {"firewall_requests_per_5_minutes": 100},
        "web": {"domain": DOMAIN},
    },
    "private": SMALL
    | {
        "keep_data": False,
        "api": {"auth": {"keys": ["default", "team"]}, "vpc_endpoint_ids": ["vpce-0123456789abcdef0"]},
        "network": {"type": "existing", "subnet_ids": ["subnet-0a"], "security_group_ids": ["sg-0a"]},
    },
}


@pytest.fixture(params=STAGES, scope="module")
def stage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def templates(stage: str, small: Templates, large: Templates) -> Templates:
    return {"small": small, "large": large}.get(stage) or synthesize(STAGES[stage])


def test_the_doctor_knows_every_name_that_is_not_generated(stage: str, templates: Templates) -> None:
    config = DeploymentConfig.for_stage("test", {"test": STAGES[stage]})
    assert set(found(templates)) == set(fixed_names(config))


def test_nothing_with_a_fixed_name_remains_when_its_stack_is_deleted_or_rolled_back(
    templates: Templates,
) -> None:
    for resource in found(templates).values():
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            assert resource.get(policy, "Delete") == "Delete"


@pytest.mark.parametrize(
    ("value", "fixed"),
    [
        ("/aws/name", True),
        ({"Fn::Join": ["", ["name-", {"Ref": "AWS::Region"}]]}, True),
        ({"Fn::Join": ["", ["name-", {"Ref": "Bucket"}]]}, False),
        ({"Fn::GetAtt": ["Endpoint", "EndpointName"]}, False),
    ],
)
def test_a_name_with_a_reference_to_another_resource_is_generated(value: Any, fixed: bool) -> None:
    assert is_fixed(value) is fixed


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("AWS::CloudWatch::Alarm", "AlarmName"),
        ("AWS::DynamoDB::Table", "TableName"),
        ("AWS::IAM::Role", "RoleName"),
        ("AWS::Lambda::Function", "FunctionName"),
        ("AWS::Logs::LogGroup", "LogGroupName"),
        ("AWS::S3::Bucket", "BucketName"),
        ("AWS::SNS::Topic", "TopicName"),
        ("AWS::SQS::Queue", "QueueName"),
    ],
)
def test_the_names_of_the_other_resources_would_be_found(kind: str, name: str) -> None:
    assert [name] in identifiers(kind)
