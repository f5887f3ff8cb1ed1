from typing import Any

import pytest

from infra.config import InvalidConfigurationError
from tests.infra.conftest import Templates, only, synthesize
from tests.infra.endpoints import model

CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-0123456789ab"
DOMAIN = {"name": "images.example.com", "certificate_arn": CERTIFICATE}


def stage(domain: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"models": [model()], "api": {"domain": domain}, **settings}


@pytest.fixture(scope="module")
def named() -> Templates:
    return synthesize(stage({**DOMAIN, "hosted_zone_id": "Z0123456789ABC"}))


def test_the_domain_serves_the_deployed_stage_with_its_certificate(named: Templates) -> None:
    domain = only(named.api, "AWS::ApiGateway::DomainName")
    assert (domain["DomainName"], domain["RegionalCertificateArn"]) == ("images.example.com", CERTIFICATE)
    assert domain["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert domain["SecurityPolicy"] == "TLS_1_2"
    mapping = only(named.api, "AWS::ApiGateway::BasePathMapping")
    (deployed,) = named.api.find_resources("AWS::ApiGateway::Stage")
    assert mapping["Stage"] == {"Ref": deployed}
    assert "BasePath" not in mapping


def test_the_hosted_zone_has_an_alias_record(named: Templates) -> None:
    record = only(named.api, "AWS::Route53::RecordSet")
    (domain,) = named.api.find_resources("AWS::ApiGateway::DomainName")
    assert (record["HostedZoneId"], record["Name"], record["Type"]) == (
        "Z0123456789ABC",
        "images.example.com",
        "A",
    )
    assert record["AliasTarget"] == {
        "DNSName": {"Fn::GetAtt": [domain, "RegionalDomainName"]},
        "HostedZoneId": {"Fn::GetAtt": [domain, "RegionalHostedZoneId"]},
    }


def test_the_outputs_are_the_address_and_the_target_of_a_record(named: Templates) -> None:
    outputs = named.api.find_outputs("*")
    assert outputs["ApiUrl"]["Value"] == "https://images.example.com"
    (domain,) = named.api.find_resources("AWS::ApiGateway::DomainName")
    assert outputs["ApiDomainTarget"]["Value"] == {"Fn::GetAtt": [domain, "RegionalDomainName"]}


def test_without_a_hosted_zone_there_is_no_record() -> None:
    synthesize(stage(DOMAIN)).api.resource_count_is("AWS::Route53::RecordSet", 0)


def test_stages_without_a_domain_have_the_address_of_api_gateway(small: Templates) -> None:
    small.api.resource_count_is("AWS::ApiGateway::DomainName", 0)
    outputs = small.api.find_outputs("*")
    assert "ApiDomainTarget" not in outputs
    assert ".execute-api." in str(outputs["ApiUrl"]["Value"])


def test_a_certificate_in_another_region_is_refused() -> None:
    def in_region(region: str) -> dict[str, Any]:
        return stage(DOMAIN, environment={"account": "123456789012", "region": region})

    synthesize(in_region("eu-central-1"))
    with pytest.raises(
        InvalidConfigurationError,
        match=r"api.domain.certificate_arn .* eu-central-1, but environment.region is us-east-1",
    ):
        synthesize(in_region("us-east-1"))


@pytest.mark.parametrize(
    "domain",
    [
        {**DOMAIN, "name": "https://images.example.com"},
        {**DOMAIN, "name": "Images.example.com"},
        {**DOMAIN, "name": "localhost"},
        {**DOMAIN, "certificate_arn": "arn:aws:iam::123456789012:server-certificate/name"},
        {**DOMAIN, "hosted_zone_id": "/hostedzone/Z0123456789ABC"},
    ],
)
def test_names_that_aws_would_refuse_are_refused_at_synthesis(domain: dict[str, Any]) -> None:
    with pytest.raises(InvalidConfigurationError, match=r"stages\.test\.api\.domain\."):
        synthesize(stage(domain))
