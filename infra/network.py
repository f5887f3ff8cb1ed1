"""The VPC of the inference containers."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.config import ExistingNetwork, InvalidConfigurationError, IsolatedNetwork
from infra.log_groups import add_log_group


@dataclass(frozen=True)
class VpcAttachment:
    """The subnets and security groups that the inference containers are attached to."""

    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]

    @classmethod
    def existing(cls, config: ExistingNetwork) -> "VpcAttachment":
        """The subnets and security groups of the configuration."""
        return cls(config.subnet_ids, config.security_group_ids)


class IsolatedVpc(Construct):
    """A VPC of isolated subnets with a gateway endpoint for S3 and no internet access.

    The containers need S3 only: SageMaker pulls the image and writes the logs outside the VPC.

    Raises:
        InvalidConfigurationError: the region has fewer availability zones than the configuration asks for.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: IsolatedNetwork,
        log_retention: logs.RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(config.cidr),
            max_azs=config.availability_zones,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="containers", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
            ],
            restrict_default_security_group=False,  # would add a function that can change security groups
            flow_logs={
                "Flow": ec2.FlowLogOptions(
                    destination=ec2.FlowLogDestination.to_cloud_watch_logs(
                        add_log_group(self, "FlowLogs", retention=log_retention)
                    ),
                    traffic_type=ec2.FlowLogTrafficType.REJECT,
                )
            },
        )
        found = len(vpc.availability_zones)
        if found < config.availability_zones:  # the CDK uses those that exist, without an error
            raise InvalidConfigurationError(
                f"network.availability_zones is {config.availability_zones}, but the account has {found} "
                f"availability zones in the region {cdk.Stack.of(self).region} of environment; lower "
                "network.availability_zones, or choose another region"
            )
        vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        group = ec2.SecurityGroup(
            self, "Containers", vpc=vpc, description="Inference containers", allow_all_outbound=False
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "S3, through the gateway")
        self.attachment = VpcAttachment(
            tuple(subnet.subnet_id for subnet in vpc.isolated_subnets), (group.security_group_id,)
        )
