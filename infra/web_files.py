"""The page's bucket, and the deployment of its files."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_s3_deployment as deployment
from constructs import Construct

from contract.page import ASSETS_PREFIX, CONFIG, INDEX, PageConfig, cache_control
from infra.config import InvalidConfigurationError
from infra.log_groups import add_log_group
from infra.nag import acknowledge

_FUNCTION_ID = "Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C"
"""The id that the CDK gives to the function of `BucketDeployment`, once per stack."""


class PageBucket(s3.Bucket):
    """The bucket of the page's files, which are public and made from the sources: it is not kept."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=cdk.RemovalPolicy.DESTROY,
            auto_delete_objects=True,
        )
        acknowledge(self, {"S1": "CloudFront alone reads this bucket, and its files are public."})


class PageFiles(Construct):
    """The files in the bucket, as of this deployment.

    Pages that are open may still request files of `assets/` that belong to an earlier deployment. These files
    stay as long as the bucket: S3 counts their age from the last upload, and a lifecycle rule would also
    delete files that are in use. A deployment adds about 100 KB.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        directory: Path,
        config: PageConfig,
        bucket: s3.Bucket,
        distribution: cloudfront.Distribution,
        log_retention: logs.RetentionDays,
    ) -> None:
        """Uploads the files and invalidates CloudFront's copies of earlier ones.

        Args:
            scope: the parent construct.
            construct_id: the id within the parent.
            directory: of the built page.
            config: the content of config.json.
            bucket: the page's bucket.
            distribution: the distribution in front of the bucket.
            log_retention: of the log of the uploads.

        Raises:
            InvalidConfigurationError: the page is not built.
        """
        super().__init__(scope, construct_id)
        if not (directory / INDEX).is_file():
            raise InvalidConfigurationError(
                f"the page is not built: {directory} has no {INDEX}; run `make web`, or set web of the stage "
                "to null"
            )
        hashed = s3_assets.Asset(self, "Hashed", path=str(directory / ASSETS_PREFIX))
        log_group = add_log_group(self, "Logs", retention=log_retention)
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        _grant(role, hashed.bucket, bucket, distribution)
        assets = self._deployment(
            "Assets",
            bucket,
            role,
            log_group,
            sources=[deployment.Source.bucket(hashed.bucket, hashed.s3_object_key)],
            destination_key_prefix=ASSETS_PREFIX.removesuffix("/"),
            cache_control=[_cached(ASSETS_PREFIX)],
        )
        entry = self._deployment(
            "Entry",
            bucket,
            role,
            log_group,
            sources=[
                deployment.Source.asset(str(directory), exclude=[ASSETS_PREFIX, ".*"]),
                deployment.Source.json_data(CONFIG, config.model_dump(mode="json", exclude_none=True)),
            ],
            cache_control=[_cached(INDEX)],
            distribution=distribution,
            distribution_paths=["/*"],
        )
        entry.node.add_dependency(assets)  # index.html names files that must be there
        function = cdk.Stack.of(self).node.find_child(_FUNCTION_ID)
        acknowledge(function, {"L1": "The CDK chooses the runtime of this function."})

    def _deployment(
        self, construct_id: str, bucket: s3.Bucket, role: iam.Role, log_group: logs.LogGroup, **options: Any
    ) -> deployment.BucketDeployment:
        return deployment.BucketDeployment(
            self,
            construct_id,
            destination_bucket=bucket,
            prune=False,
            role=role.without_policy_updates(),  # the CDK would allow invalidations of every distribution
            log_group=log_group,
            **options,
        )


def _cached(path: str) -> deployment.CacheControl:
    return deployment.CacheControl.from_string(cache_control(path))


def _grant(
    role: iam.Role, uploaded: s3.IBucket, bucket: s3.Bucket, distribution: cloudfront.Distribution
) -> None:
    """Allows reading uploaded assets, writing the page's files, and invalidating CloudFront's copies."""
    for actions, resource in (
        (["s3:GetObject"], uploaded.arn_for_objects("*")),
        (["s3:ListBucket"], bucket.bucket_arn),
        (["s3:PutObject"], bucket.arn_for_objects("*")),
        (["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"], distribution.distribution_arn),
    ):
        iam.Grant.add_to_principal(grantee=role, actions=actions, resource_arns=[resource])
    reason = "The names of objects contain hashes of their content, which change with every deployment."
    logical_id = cdk.Stack.of(role).get_logical_id(bucket.node.default_child)  # type: ignore[arg-type]
    bootstrap = "arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>"
    acknowledge(
        role,
        {f"IAM5[Resource::<{logical_id}.Arn>/*]": reason, f"IAM5[Resource::{bootstrap}/*]": reason},
    )
