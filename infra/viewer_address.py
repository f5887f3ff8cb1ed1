"""The address of a visitor behind CloudFront, for the limit of the firewall.

The firewall sees the address of CloudFront's server. A function at CloudFront writes that of the visitor into
a header, in place of one that the visitor may have sent; the last address of `X-Forwarded-For` is also right,
but WAF reads the first one, which visitors choose. Requests to API Gateway's own address can contain the
header too. Those of the distribution are known by a secret, which CloudFront adds to requests to its origin.
"""

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.nag import acknowledge

ADDRESS_HEADER = "True-Client-IP"
SECRET_HEADER = "X-Distribution-Secret"  # noqa: S105 - a name

_CHARACTERS = 40
_CODE = f"""\
function handler(event) {{
  event.request.headers[{ADDRESS_HEADER.lower()!r}] = {{ value: event.viewer.ip }};
  return event.request;
}}
"""


class DistributionSecret(Construct):
    """The secret that CloudFront sends to the API.

    Attributes:
        value: a reference that CloudFormation replaces.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.Key | None) -> None:
        super().__init__(scope, construct_id)
        secret = secretsmanager.Secret(
            self,
            "Secret",
            description="Shows the firewall that a request comes from the page's distribution.",
            # An imported view of the key: the account may use it already, without the statements of the CDK.
            encryption_key=key and kms.Key.from_key_arn(self, "Key", key.key_arn),
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=_CHARACTERS, exclude_punctuation=True
            ),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        acknowledge(
            secret, {"SMG4": "Only deployments write it to CloudFront and WAF, which must have the same one."}
        )
        self.value = secret.secret_value.unsafe_unwrap()


def viewer_address_function(scope: Construct, construct_id: str, *, name: str) -> cloudfront.Function:
    """The function that writes `ADDRESS_HEADER`, under a name that is unique in the account."""
    return cloudfront.Function(
        scope,
        construct_id,
        function_name=name,
        code=cloudfront.FunctionCode.from_inline(_CODE),
        runtime=cloudfront.FunctionRuntime.JS_2_0,
    )
