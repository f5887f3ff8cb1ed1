from typing import Any

import pytest

from infra.config import InvalidConfigurationError
from tests.infra.conftest import Templates, only, synthesize, text

MODEL = {"name": "demo", "instance_types": ["ml.g5.xlarge"]}


ENVIRONMENT = {"account": "123456789012", "region": "eu-central-1"}
ZONES_OF_ACCOUNT = "availability-zones:account=123456789012:region=eu-central-1"
"""The name under which the CDK's CLI stores the zones that it has looked up."""


def vpc_config(templates: Templates, model: str) -> Any:
    return only(templates.endpoints[model], "AWS::SageMaker::Model").get("VpcConfig")


def test_by_default_containers_are_not_attached_to_a_vpc(small: Templates) -> None:
    assert "Network" not in small.by_stack
    assert vpc_config(small, "demo") is None


def test_an_isolated_network_has_no_route_to_the_internet(large: Templates) -> None:
    network = large.by_stack["Network"]
    for kind in ("InternetGateway", "NatGateway", "Route", "VPNGateway"):
        network.resource_count_is(f"AWS::EC2::{kind}", 0)
    assert only(network, "AWS::EC2::VPC")["CidrBlock"] == "10.64.0.0/20"
    network.resource_count_is("AWS::EC2::Subnet", 2)


def test_an_isolated_network_reaches_s3_only_through_a_gateway_endpoint(large: Templates) -> None:
    network = large.by_stack["Network"]
    endpoint = only(network, "AWS::EC2::VPCEndpoint")
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert text(endpoint["ServiceName"]).endswith('".s3"]]}')
    group = only(network, "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    (egress,) = group["SecurityGroupEgress"]
    assert (egress["IpProtocol"], egress["FromPort"], egress["ToPort"]) == ("tcp", 443, 443)


def test_rejected_traffic_is_logged(large: Templates) -> None:
    network = large.by_stack["Network"]
    assert only(network, "AWS::EC2::FlowLog")["TrafficType"] == "REJECT"
    assert only(network, "AWS::Logs::LogGroup")["RetentionInDays"] == 7


def test_containers_are_attached_to_the_isolated_network(large: Templates) -> None:
    for model in ("first", "second"):
        config = vpc_config(large, model)
        assert len(config["Subnets"]) == 2
        assert len(config["SecurityGroupIds"]) == 1


@pytest.mark.parametrize("zones", [1, 2, 3])
def test_an_isolated_network_has_a_subnet_in_each_of_its_availability_zones(zones: int) -> None:
    stage = {
        "models": [MODEL],
        "network": {"type": "isolated", "availability_zones": zones},
        "environment": ENVIRONMENT,
    }
    known = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    templates = synthesize(stage, context={ZONES_OF_ACCOUNT: known})
    subnets = templates.by_stack["Network"].find_resources("AWS::EC2::Subnet").values()
    assert [each["Properties"]["AvailabilityZone"] for each in subnets] == known[:zones]
    assert len(vpc_config(templates, "demo")["Subnets"]) == zones


def test_more_availability_zones_than_the_region_has_are_rejected() -> None:
    stage = {
        "models": [MODEL],
        "network": {"type": "isolated", "availability_zones": 3},
        "environment": ENVIRONMENT,
    }
    with pytest.raises(InvalidConfigurationError) as caught:
        synthesize(stage, context={ZONES_OF_ACCOUNT: ["eu-central-1a", "eu-central-1b"]})
    assert str(caught.value) == (
        "network.availability_zones is 3, but the account has 2 availability zones in the region "
        "eu-central-1 of environment; lower network.availability_zones, or choose another region"
    )


def test_containers_are_attached_to_existing_subnets() -> None:
    network = {
        "type": "existing",
        "subnet_ids": ["subnet-0a", "subnet-0b"],
        "security_group_ids": ["sg-0c"],
    }
    templates = synthesize({"models": [MODEL], "network": network})
    assert "Network" not in templates.by_stack
    assert vpc_config(templates, "demo") == {
        "Subnets": ["subnet-0a", "subnet-0b"],
        "SecurityGroupIds": ["sg-0c"],
    }
    policy = text(only(templates.endpoints["demo"], "AWS::IAM::Policy"))
    assert "ec2:CreateNetworkInterface" in policy
