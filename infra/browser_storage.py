"""Access of browsers to S3: the origins of links and upload forms, and CORS of the data bucket."""

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from contract.identifiers import S3Location
from infra.config import DeploymentConfig

_PREFLIGHT_S = 3600


def storage_origins(data_bucket: s3.IBucket, output_prefixes: Iterable[str]) -> list[str]:
    """The sources of links and upload forms in a Content-Security-Policy."""
    buckets = dict.fromkeys(S3Location.parse(uri).bucket for uri in output_prefixes)
    return [f"https://{data_bucket.bucket_regional_domain_name}", *map(_origin, buckets)]


def _origin(bucket: str) -> str:
    """The origin of the bucket's links. S3's certificate does not cover hosts of buckets with dots."""
    host = f"s3.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}"
    return f"https://{host}/{bucket}/" if "." in bucket else f"https://{bucket}.{host}"


def cors_rules(config: DeploymentConfig) -> list[s3.CorsRule]:
    """The rules that let pages read images and send input images with the links and forms of the API."""
    origins = list(dict.fromkeys(_page_origins(config)))
    if not origins:
        return []
    return [
        s3.CorsRule(
            allowed_origins=origins,
            allowed_methods=[s3.HttpMethods.GET, s3.HttpMethods.HEAD, s3.HttpMethods.POST],
            exposed_headers=["ETag"],
            max_age=_PREFLIGHT_S,
        )
    ]


def _page_origins(config: DeploymentConfig) -> Iterable[str]:
    if config.page is not None:
        # CloudFront generates the page's name after this bucket exists, so that every name of CloudFront is
        # allowed. The bucket opens to signed links only, and no cookie or other credential comes with them:
        # a page that has no link gains nothing.
        domain = config.page.domain
        yield f"https://{domain.name}" if domain else "https://*.cloudfront.net"
    yield from config.api.allowed_origins
