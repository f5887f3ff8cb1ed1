from typing import Any

from aws_cdk.assertions import Match

from tests.infra.conftest import SMALL, Templates, synthesize, text, without_hash

CLEANUP = {
    "Status": "Enabled",
    "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
}


def expires(days: int, prefix: str | None = None) -> dict[str, Any]:
    rule = {"Status": "Enabled", "ExpirationInDays": days}
    return rule if prefix is None else rule | {"Prefix": prefix}


def buckets(templates: Templates) -> dict[str, Any]:
    found = templates.storage.find_resources("AWS::S3::Bucket")
    return {without_hash(key).removeprefix("Storage"): each for key, each in found.items()}


def test_the_lifecycle_rules_of_all_buckets(small: Templates, large: Templates) -> None:
    for templates, retention_days in ((small, 30), (large, 5)):
        rules = {
            name: bucket["Properties"]["LifecycleConfiguration"]["Rules"]
            for name, bucket in buckets(templates).items()
        }
        assert rules == {
            "AccessLogs": [expires(90)],
            "Data": [
                expires(retention_days),
                expires(1, "progress/"),
                expires(1, "cancellations/"),
                expires(1, "starts/"),
                expires(1, "previews/"),
                expires(30, "compiled/"),
                CLEANUP,
            ],
            "Models": [CLEANUP],
        }


def test_all_buckets_block_public_access_and_require_tls(small: Templates) -> None:
    assert set(buckets(small)) == {"AccessLogs", "Data", "Models"}
    small.storage.all_resources_properties(
        "AWS::S3::Bucket",
        {
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "BucketEncryption": Match.any_value(),
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        },
    )
    small.storage.resource_properties_count_is(
        "AWS::S3::BucketPolicy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
                        )
                    ]
                )
            }
        },
        3,
    )


def test_data_and_models_are_versioned_and_their_access_is_logged(small: Templates) -> None:
    for name in ("Data", "Models"):
        properties = buckets(small)[name]["Properties"]
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        logging = properties["LoggingConfiguration"]
        assert logging["LogFilePrefix"] == f"{name.lower()}/"
        assert "StorageAccessLogs" in text(logging["DestinationBucketName"])


def test_job_records_expire_and_can_be_restored(small: Templates) -> None:
    small.storage.has_resource_properties(
        "AWS::DynamoDB::Table",
        {
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        },
    )


KEPT = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SecretsManager::Secret")


def test_data_key_and_secret_are_kept_when_stacks_are_deleted(large: Templates) -> None:
    for template in large.all():
        for kind in KEPT:
            for resource in template.find_resources(kind).values():
                assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
        template.resource_count_is("Custom::S3AutoDeleteObjects", 0)


def test_without_keep_data_all_data_is_deleted_with_the_stacks() -> None:
    templates = synthesize(SMALL | {"keep_data": False, "customer_managed_key": True})
    for template in templates.all():
        for kind in KEPT:
            for resource in template.find_resources(kind).values():
                assert resource["DeletionPolicy"] == "Delete"
    templates.storage.resource_count_is("Custom::S3AutoDeleteObjects", 3)
