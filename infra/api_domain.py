"""A domain name of the operator for the API."""

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from constructs import Construct

from infra.config import DomainConfig, InvalidConfigurationError


class ApiDomain(Construct):
    """The domain name, with an alias record if the hosted zone is known.

    Attributes:
        target: the host that a CNAME record of the name points to.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, config: DomainConfig, rest_api: apigateway.RestApi
    ) -> None:
        super().__init__(scope, construct_id)
        _check_region(config, cdk.Stack.of(self).region)
        domain = apigateway.DomainName(
            self,
            "Domain",
            domain_name=config.name,
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", config.certificate_arn),
            endpoint_type=apigateway.EndpointType.REGIONAL,
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
            mapping=rest_api,
        )
        self.target = domain.domain_name_alias_domain_name
        if config.hosted_zone_id is not None:
            route53.CfnRecordSet(
                self,
                "Record",
                hosted_zone_id=config.hosted_zone_id,
                name=config.name,
                type="A",
                alias_target=route53.CfnRecordSet.AliasTargetProperty(
                    dns_name=self.target, hosted_zone_id=domain.domain_name_alias_hosted_zone_id
                ),
            )


def _check_region(config: DomainConfig, region: str) -> None:
    """Checks that the certificate is in the stage's region, if that is known.

    Raises:
        InvalidConfigurationError: it is in another one.
    """
    found = config.certificate_arn.split(":")[3]
    if not cdk.Token.is_unresolved(region) and found != region:
        raise InvalidConfigurationError(
            f"api.domain.certificate_arn is a certificate in {found}, but environment.region is {region}; "
            "request one in the region of the stage"
        )
