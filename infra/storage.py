"""Where everything is kept: the buckets and the job records."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from inference.contract import keys

_PROGRESS_DAYS = 1


class Storage(Construct):
    """The data bucket, the models bucket and the jobs table.

    Deleting the stack keeps all three.
    """

    def __init__(self, scope: Construct, construct_id: str, *, retention: cdk.Duration) -> None:
        """Keeps jobs and their objects for `retention`."""
        super().__init__(scope, construct_id)
        self.data_bucket = self._bucket(
            "Data",
            lifecycle_rules=[
                s3.LifecycleRule(expiration=retention),
                s3.LifecycleRule(prefix=keys.PROGRESS_PREFIX, expiration=cdk.Duration.days(_PROGRESS_DAYS)),
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=cdk.Duration.days(1)),
            ],
        )
        self.models_bucket = self._bucket("Models", versioned=True)
        self.jobs_table = dynamodb.Table(
            self,
            "Jobs",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
        )

    def _bucket(
        self,
        construct_id: str,
        *,
        versioned: bool = False,
        lifecycle_rules: list[s3.LifecycleRule] | None = None,
    ) -> s3.Bucket:
        return s3.Bucket(
            self,
            construct_id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=versioned,
            lifecycle_rules=lifecycle_rules,
        )

    def model_prefix(self, model: str) -> str:
        """The `s3://` prefix under which the model's files lie."""
        return self.models_bucket.s3_url_for_object(f"{model}/")

    def grant_container(self, role: iam.IGrantable, model: str) -> None:
        """Lets an endpoint read its model, inputs and requests, and write what it draws."""
        self._grant(role, self.models_bucket, ["s3:GetObject"], f"{model}/*")
        self._grant(
            role,
            self.data_bucket,
            ["s3:GetObject"],
            *(f"{p}*" for p in (keys.REQUESTS_PREFIX, keys.INPUTS_PREFIX, keys.OUTPUTS_PREFIX)),
        )
        self._grant(
            role,
            self.data_bucket,
            ["s3:PutObject"],
            *(
                f"{p}*"
                for p in (
                    keys.OUTPUTS_PREFIX,
                    keys.PROGRESS_PREFIX,
                    keys.RESULTS_PREFIX,
                    keys.FAILURES_PREFIX,
                )
            ),
        )
        self._grant_listing(role, self.models_bucket, self.data_bucket)

    def grant_api(self, grantee: iam.IGrantable) -> None:
        """Lets the API keep records, store requests, read progress and sign links to images."""
        self.jobs_table.grant(grantee, "dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem")
        self._grant(grantee, self.data_bucket, ["s3:PutObject"], f"{keys.REQUESTS_PREFIX}*")
        self._grant(
            grantee,
            self.data_bucket,
            ["s3:GetObject"],
            f"{keys.PROGRESS_PREFIX}*",
            f"{keys.OUTPUTS_PREFIX}*",
        )
        self._grant_listing(grantee, self.data_bucket)

    def grant_completion(self, grantee: iam.IGrantable) -> None:
        """Lets the completion function read SageMaker's answers and settle jobs."""
        self.jobs_table.grant(grantee, "dynamodb:GetItem", "dynamodb:UpdateItem")
        self._grant(
            grantee,
            self.data_bucket,
            ["s3:GetObject"],
            f"{keys.RESULTS_PREFIX}*",
            f"{keys.FAILURES_PREFIX}*",
        )
        self._grant_listing(grantee, self.data_bucket)

    @staticmethod
    def _grant(grantee: iam.IGrantable, bucket: s3.Bucket, actions: list[str], *patterns: str) -> None:
        arns = [bucket.arn_for_objects(pattern) for pattern in patterns]
        iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=arns)

    @staticmethod
    def _grant_listing(grantee: iam.IGrantable, *buckets: s3.Bucket) -> None:
        """Without it S3 answers 403 instead of 404 for a missing key."""
        arns = [bucket.bucket_arn for bucket in buckets]
        iam.Grant.add_to_principal(grantee=grantee, actions=["s3:ListBucket"], resource_arns=arns)
