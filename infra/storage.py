"""S3 buckets, the DynamoDB table of jobs, the optional KMS key, and grants on them."""

import typing
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from contract import keys
from contract.identifiers import S3Location
from contract.source import S3Source
from contract.tables import CALLERS_INDEX, UNFINISHED_INDEX
from infra.nag import acknowledge
from infra.tables import add_estimates_table, add_jobs_table, grant_query, grant_table

_PROGRESS_DAYS = 1
"""The retention of objects that matter only while their job runs."""

_COMPILED_DAYS = 30
"""The retention of compiled code. Expired code is compiled again when it is needed."""

_OLD_VERSIONS_DAYS = 7
_ACCESS_LOGS_DAYS = 90
_PREFIX_REASON = "Object keys contain job ids and file names; the grant is limited to their prefix."


class Storage(Construct):
    """The data bucket, the models bucket and the jobs table.

    Attributes:
        key: the stage's KMS key; None if AWS's own keys are used.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        retention: cdk.Duration,
        keep: bool,
        customer_managed_key: bool,
        output_prefixes: Sequence[str] = (),
        cors: Sequence[s3.CorsRule] = (),
    ) -> None:
        """Creates the buckets and the table.

        Args:
            scope: the parent construct.
            construct_id: the id within the parent.
            retention: the retention of jobs and their objects.
            keep: whether buckets, table and key are retained when the stack is deleted.
            customer_managed_key: whether buckets and table are encrypted with a KMS key of the stage.
            output_prefixes: `s3://` prefixes outside the stage's buckets, for images.
            cors: the rules of the data bucket.
        """
        super().__init__(scope, construct_id)
        self._keep = keep
        self._output_prefixes = [S3Location.parse(uri) for uri in output_prefixes]
        self._removal_policy = cdk.RemovalPolicy.RETAIN if keep else cdk.RemovalPolicy.DESTROY
        self.key = (
            kms.Key(self, "Key", enable_key_rotation=True, removal_policy=self._removal_policy)
            if customer_managed_key
            else None
        )
        self._access_logs = self._access_log_bucket()
        self.data_bucket = self._bucket(
            "Data",
            lifecycle_rules=[
                s3.LifecycleRule(expiration=retention),
                *(
                    s3.LifecycleRule(prefix=prefix, expiration=cdk.Duration.days(_PROGRESS_DAYS))
                    for prefix in (
                        keys.PROGRESS_PREFIX,
                        keys.CANCELLATIONS_PREFIX,
                        keys.STARTS_PREFIX,
                        keys.PREVIEWS_PREFIX,
                    )
                ),
                s3.LifecycleRule(prefix=keys.COMPILED_PREFIX, expiration=cdk.Duration.days(_COMPILED_DAYS)),
            ],
            cors=cors,
        )
        self._report_objects_to_eventbridge(self.data_bucket)
        self.models_bucket = self._bucket("Models", lifecycle_rules=[])
        self.jobs_table = add_jobs_table(self, key=self.key, removal_policy=self._removal_policy)
        self.estimates_table = add_estimates_table(self, key=self.key, removal_policy=self._removal_policy)

    def _access_log_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "AccessLogs",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,  # access logs cannot use another key
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(_ACCESS_LOGS_DAYS))],
            removal_policy=self._removal_policy,
            auto_delete_objects=not self._keep,
        )
        acknowledge(bucket, {"S1": "This bucket stores the access logs of the other buckets."})
        return bucket

    def _bucket(
        self, construct_id: str, *, lifecycle_rules: list[s3.LifecycleRule], cors: Sequence[s3.CorsRule] = ()
    ) -> s3.Bucket:
        return s3.Bucket(
            self,
            construct_id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.KMS if self.key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self.key,
            bucket_key_enabled=True if self.key else None,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=self._access_logs,
            server_access_logs_prefix=f"{construct_id.lower()}/",
            versioned=True,
            cors=list(cors) or None,
            lifecycle_rules=[
                *lifecycle_rules,
                s3.LifecycleRule(
                    noncurrent_version_expiration=cdk.Duration.days(_OLD_VERSIONS_DAYS),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                ),
            ],
            removal_policy=self._removal_policy,
            auto_delete_objects=not self._keep,
        )

    @staticmethod
    def _report_objects_to_eventbridge(bucket: s3.Bucket) -> None:
        """Publishes the bucket's events to EventBridge, without the custom resource that the CDK adds."""
        resource = typing.cast("s3.CfnBucket", bucket.node.default_child)
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=True
            )
        )

    def model_prefix(self, model: str, source: S3Source) -> str:
        """The `s3://` prefix of the model's files."""
        return source.prefix(model, self.models_bucket.bucket_name).uri

    def safety_checker_prefix(self, name: str) -> str:
        """The `s3://` prefix of a safety checker's files."""
        return self.models_bucket.s3_url_for_object(f"{keys.SAFETY_CHECKERS_PREFIX}{name}/")

    def grant_model(self, role: iam.IGrantable, model: str, source: S3Source) -> None:
        """Allows an endpoint's role to read the files of one of its models."""
        if source.uri is None:
            self._grant(role, self.models_bucket, ["s3:GetObject"], f"{model}/*")
            return
        location = S3Location.parse(source.uri)
        bucket = f"arn:{cdk.Aws.PARTITION}:s3:::{location.bucket}"
        objects = f"{bucket}/{location.key}*"
        for action, arn in (("s3:GetObject", objects), ("s3:ListBucket", bucket)):
            iam.Grant.add_to_principal(grantee=role, actions=[action], resource_arns=[arn])
        acknowledge(
            role.grant_principal,
            {f"IAM5[Resource::arn:<AWS::Partition>:s3:::{location.bucket}/{location.key}*]": _PREFIX_REASON},
        )

    def grant_container(self, role: iam.IGrantable) -> None:
        """Allows an endpoint's role to read requests, images and adapters, and to write results.

        Images are deleted if another image of their job cannot be stored.
        """
        self._grant(
            role,
            self.data_bucket,
            ["s3:GetObject"],
            f"{keys.REQUESTS_PREFIX}*",
            f"{keys.INPUTS_PREFIX}*",
            f"{keys.OUTPUTS_PREFIX}*",
            f"{keys.CANCELLATIONS_PREFIX}*",
        )
        self._grant(
            role,
            self.data_bucket,
            ["s3:PutObject"],
            f"{keys.OUTPUTS_PREFIX}*",
            f"{keys.STARTS_PREFIX}*",
            f"{keys.PROGRESS_PREFIX}*",
            f"{keys.PREVIEWS_PREFIX}*",
            f"{keys.RESULTS_PREFIX}*",
            f"{keys.FAILURES_PREFIX}*",
        )
        self._grant(role, self.data_bucket, ["s3:DeleteObject"], f"{keys.OUTPUTS_PREFIX}*")
        self._grant(role, self.models_bucket, ["s3:GetObject"], f"{keys.ADAPTERS_PREFIX}*")
        self._grant_listing(role, self.data_bucket, self.models_bucket)
        self._grant_key(role)

    def grant_output_prefixes(self, grantee: iam.IGrantable, actions: list[str]) -> None:
        """Allows actions on the objects below the output prefixes outside the stage's buckets."""
        for bucket, key in self._output_prefixes:
            arn = f"arn:{cdk.Aws.PARTITION}:s3:::{bucket}/{key}*"
            iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=[arn])
            finding = f"IAM5[Resource::arn:<AWS::Partition>:s3:::{bucket}/{key}*]"
            acknowledge(grantee.grant_principal, {finding: _PREFIX_REASON})

    def grant_compile_cache(self, role: iam.IGrantable) -> None:
        """Allows an endpoint's role to read and write compiled code."""
        actions = ["s3:GetObject", "s3:PutObject"]
        self._grant(role, self.data_bucket, actions, f"{keys.COMPILED_PREFIX}*")

    def grant_api_function(self, grantee: iam.IGrantable) -> None:
        """Allows the API's function to do everything with jobs, to presign links, and to list adapters."""
        grant_table(
            grantee,
            self.jobs_table,
            ["PutItem", "GetItem", "BatchGetItem", "UpdateItem", "DeleteItem"],
        )
        grant_query(grantee, self.jobs_table, CALLERS_INDEX, UNFINISHED_INDEX)
        self._grant(
            grantee,
            self.data_bucket,
            ["s3:PutObject"],
            f"{keys.INPUTS_PREFIX}*",
            f"{keys.CANCELLATIONS_PREFIX}*",
        )
        self._grant(
            grantee,
            self.data_bucket,
            ["s3:GetObject"],
            f"{keys.PROGRESS_PREFIX}*",
            f"{keys.PREVIEWS_PREFIX}*",
            f"{keys.OUTPUTS_PREFIX}*",
        )
        self._grant(
            grantee, self.data_bucket, ["s3:DeleteObject"], *(f"{prefix}*" for prefix in keys.JOB_PREFIXES)
        )
        self.grant_output_prefixes(grantee, ["s3:GetObject", "s3:DeleteObject"])
        self._grant_responses(grantee)
        self._grant_listing(grantee, self.models_bucket)

    def grant_webhook_function(self, grantee: iam.IGrantable) -> None:
        """Allows the webhook function to read jobs, and to presign links to their images."""
        grant_table(grantee, self.jobs_table, ["GetItem"])
        self._grant(grantee, self.data_bucket, ["s3:GetObject"], f"{keys.OUTPUTS_PREFIX}*")
        self.grant_output_prefixes(grantee, ["s3:GetObject"])
        if self.key:
            self.key.grant(grantee, "kms:Decrypt")

    def grant_completion_function(self, grantee: iam.IGrantable) -> None:
        """Allows the completion function to read responses, and to start and finish jobs."""
        grant_table(grantee, self.jobs_table, ["GetItem", "UpdateItem"])
        self._grant_responses(grantee)

    def grant_reconciler(self, grantee: iam.IGrantable) -> None:
        """Allows the reconciler to find, finish and submit jobs."""
        grant_table(grantee, self.jobs_table, ["GetItem", "UpdateItem"])
        grant_query(grantee, self.jobs_table, UNFINISHED_INDEX)
        self._grant_responses(grantee)

    def _grant_responses(self, grantee: iam.IGrantable) -> None:
        """Allows reading the responses of invocations, and reading and adding measured times."""
        grant_table(grantee, self.estimates_table, ["GetItem", "BatchGetItem", "PutItem"])
        self._grant(
            grantee,
            self.data_bucket,
            ["s3:GetObject"],
            f"{keys.RESULTS_PREFIX}*",
            f"{keys.FAILURES_PREFIX}*",
        )
        self._grant_listing(grantee, self.data_bucket)
        self._grant_key(grantee)

    def _grant_key(self, grantee: iam.IGrantable) -> None:
        if self.key:
            self.key.grant(grantee, "kms:Decrypt", "kms:GenerateDataKey")

    def _grant(self, grantee: iam.IGrantable, bucket: s3.Bucket, actions: list[str], *patterns: str) -> None:
        arns = [bucket.arn_for_objects(pattern) for pattern in patterns]
        iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=arns)
        stack = cdk.Stack.of(self)
        exported = stack.resolve(stack.export_value(bucket.bucket_arn))["Fn::ImportValue"]
        acknowledge(
            grantee.grant_principal,
            {f"IAM5[Resource::{exported}/{pattern}]": _PREFIX_REASON for pattern in patterns},
        )

    @staticmethod
    def _grant_listing(grantee: iam.IGrantable, *buckets: s3.Bucket) -> None:
        """Allows listing: without it S3 responds with 403 instead of 404 to reading a missing key."""
        arns = [bucket.bucket_arn for bucket in buckets]
        iam.Grant.add_to_principal(grantee=grantee, actions=["s3:ListBucket"], resource_arns=arns)
