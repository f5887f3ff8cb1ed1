from typing import Any

from tests.infra.conftest import Templates, only, synthesize, text

MODEL = {"name": "demo", "instance_types": ["ml.g5.xlarge"]}


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
