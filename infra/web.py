"""The web page behind CloudFront, with the API at the same address."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from contract.api_paths import COMPATIBLE_PATHS
from contract.page import ASSETS_PREFIX, INDEX, content_security_policy
from infra.browser_storage import storage_origins
from infra.config import DeploymentConfig, WebConfig, WebDomainConfig
from infra.nag import acknowledge
from infra.storage import Storage
from infra.viewer_address import SECRET_HEADER, DistributionSecret, viewer_address_function
from infra.web_files import PageBucket, PageFiles
from infra.web_headers import headers_policy
from infra.web_sign_in import page_config

_EDGE_DAYS = 1
"""Browsers ask CloudFront each time for a file without a hash in its name, and CloudFront asks the bucket
after this time or a deployment."""

_MAX_READ_S = 60
"""CloudFront waits no longer for an answer, without a higher quota."""

_COMPATIBLE_PATHS = [path for path in COMPATIBLE_PATHS if not path.startswith("/v1/")]

_ERRORS = (400, 403, 404, 405, 414, 500, 501, 502, 503, 504)
"""All that CloudFront may keep for ten seconds, although other answers of the API are not cached."""


class WebPage(Construct):
    """The page: its bucket, its files and the distribution.

    Attributes:
        url: the address of the page, without a slash at its end.
        target: the host that a CNAME record of an own name points to.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        web: WebConfig,
        storage: Storage,
        rest_api: apigateway.RestApi,
        secret: DistributionSecret | None,
        files: Path,
    ) -> None:
        """Creates the page.

        Args:
            scope: the parent construct.
            construct_id: the id within the parent.
            config: the stage's settings.
            web: those of the page.
            storage: the buckets of the links to images.
            rest_api: the API.
            secret: shows the API's firewall that requests come from the distribution; None without firewall.
            files: the directory of the built page.

        Raises:
            InvalidConfigurationError: the page is not built.
        """
        super().__init__(scope, construct_id)
        self._config = config
        stack = cdk.Stack.of(self)
        self._name = f"{stack.stack_name}-{stack.region}"  # CloudFront's names are unique in an account
        bucket = PageBucket(self, "Bucket")
        distribution = self._distribution(web, bucket, storage, rest_api, secret)
        self.target = distribution.distribution_domain_name
        self.url = f"https://{web.domain.name if web.domain else self.target}"
        if web.domain:
            self._add_records(web.domain, distribution)
        PageFiles(
            self,
            "Files",
            directory=files,
            config=page_config(self, config.api, web, url=self.url),
            bucket=bucket,
            distribution=distribution,
            log_retention=config.log_retention,
        )

    def _distribution(
        self,
        web: WebConfig,
        bucket: PageBucket,
        storage: Storage,
        rest_api: apigateway.RestApi,
        secret: DistributionSecret | None,
    ) -> cloudfront.Distribution:
        page = origins.S3BucketOrigin.with_origin_access_control(
            bucket,
            origin_access_control=cloudfront.S3OriginAccessControl(
                self, "Access", origin_access_control_name=self._name
            ),
            # S3 answers 404 instead of 403 for unknown files if CloudFront may list the bucket.
            origin_access_levels=[cloudfront.AccessLevel.READ, cloudfront.AccessLevel.LIST],
        )
        headers = headers_policy(self, "Headers", name=self._name, policy=self._policy(web, storage))
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"The page and the API of the stage {self._config.stage}.",
            default_root_object=INDEX,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_ALL,
            **self._domain(web.domain),
            default_behavior=_files(page, headers, self._cache_at_edge()),
            additional_behaviors={
                f"/{ASSETS_PREFIX}*": _files(page, headers, cloudfront.CachePolicy.CACHING_OPTIMIZED),
                **dict.fromkeys(("/v1/*", *_COMPATIBLE_PATHS), self._api(rest_api, secret)),
            },
            error_responses=[
                cloudfront.ErrorResponse(http_status=status, ttl=cdk.Duration.seconds(0))
                for status in _ERRORS
            ],
        )
        cdk.Annotations.of(distribution).acknowledge_warning(
            "@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk", "The distribution has a root object."
        )
        findings = {
            "CFR1": "Access is limited by authentication of the API, not by countries.",
            "CFR2": "The page's files are public; a firewall of the API also sees requests by CloudFront.",
            "CFR3": "API Gateway logs the API's requests, and the page's files are public.",
        }
        if web.domain is None:
            findings["CFR4"] = "CloudFront decides on TLS versions of its own names; web.domain requires 1.2."
        acknowledge(distribution, findings)
        return distribution

    def _domain(self, domain: WebDomainConfig | None) -> dict[str, Any]:
        """The properties of a distribution with a name of its own."""
        if domain is None:
            return {}
        return {
            "domain_names": [domain.name],
            "certificate": acm.Certificate.from_certificate_arn(self, "Certificate", domain.certificate_arn),
            "minimum_protocol_version": cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
        }

    def _api(
        self, rest_api: apigateway.RestApi, secret: DistributionSecret | None
    ) -> cloudfront.BehaviorOptions:
        """The API at API Gateway's own address, which exists with and without `api.domain`."""
        host = f"{rest_api.rest_api_id}.execute-api.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}"
        functions = None
        if secret is not None:
            address = viewer_address_function(self, "ViewerAddress", name=f"{self._name}-viewer")
            functions = [
                cloudfront.FunctionAssociation(
                    function=address, event_type=cloudfront.FunctionEventType.VIEWER_REQUEST
                )
            ]
        return cloudfront.BehaviorOptions(
            origin=origins.HttpOrigin(
                host,
                origin_path=f"/{self._config.stage}",
                read_timeout=cdk.Duration.seconds(min(max(self._config.api.wait_s + 5, 30), _MAX_READ_S)),
                custom_headers={SECRET_HEADER: secret.value} if secret else None,
            ),
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            # A redirect would come after a key has been sent in the clear.
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
            # API Gateway finds the API by the host.
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            function_associations=functions,
        )

    def _cache_at_edge(self) -> cloudfront.CachePolicy:
        time = cdk.Duration.days(_EDGE_DAYS)
        return cloudfront.CachePolicy(
            self,
            "Cache",
            cache_policy_name=self._name,
            min_ttl=time,
            default_ttl=time,
            max_ttl=time,
            enable_accept_encoding_gzip=True,
            enable_accept_encoding_brotli=True,
        )

    def _policy(self, web: WebConfig, storage: Storage) -> str:
        return content_security_policy(
            storage_origins(storage.data_bucket, self._config.output_prefixes),
            f"https://{web.sign_in.domain}" if web.sign_in else None,
        )

    def _add_records(self, domain: WebDomainConfig, distribution: cloudfront.Distribution) -> None:
        if domain.hosted_zone_id is None:
            return
        for kind in ("A", "AAAA"):
            route53.CfnRecordSet(
                self,
                f"Record{kind}",
                hosted_zone_id=domain.hosted_zone_id,
                name=domain.name,
                type=kind,
                alias_target=route53.CfnRecordSet.AliasTargetProperty(
                    dns_name=distribution.distribution_domain_name,
                    hosted_zone_id=targets.CloudFrontTarget.CLOUDFRONT_ZONE_ID,
                ),
            )


def _files(
    origin: cloudfront.IOrigin,
    headers: cloudfront.ResponseHeadersPolicy,
    cache: cloudfront.ICachePolicy,
) -> cloudfront.BehaviorOptions:
    return cloudfront.BehaviorOptions(
        origin=origin,
        viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        cache_policy=cache,
        response_headers_policy=headers,
    )
