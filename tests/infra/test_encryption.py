"""The customer managed key: every resource that uses it, and the services that its policy allows."""

from collections.abc import Iterator
from typing import Any

from tests.infra.conftest import Templates, only, text, without_hash
from tests.infra.functions import actions

USES_OF_THE_KEY = {
    "AWS::S3::Bucket StorageData",
    "AWS::S3::Bucket StorageModels",
    "AWS::DynamoDB::Table StorageEstimates",
    "AWS::DynamoDB::Table StorageJobs",
    "AWS::SNS::Topic AlarmTopicsAlarms",
    "AWS::SNS::Topic CompletionQueueSuccess",
    "AWS::SNS::Topic CompletionQueueError",
    "AWS::SQS::Queue CompletionQueueCompletions",
    "AWS::SQS::Queue CompletionQueueDeadLetters",
    "AWS::SQS::Queue WebhookQueueCalls",
    "AWS::SQS::Queue WebhookQueueDeadLetters",
    "AWS::SecretsManager::Secret SigningSecret",
}
"""Everything that can be encrypted but the access log bucket, for which S3 requires its own key."""

ENCRYPTABLE = (
    "AWS::S3::Bucket",
    "AWS::DynamoDB::Table",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
    "AWS::Logs::LogGroup",
)


def resources(templates: Templates, kind: str) -> Iterator[tuple[str, Any]]:
    for template in templates.all():
        for key, resource in template.find_resources(kind).items():
            yield f"{kind} {without_hash(key)}", resource.get("Properties", {})


def key_of(kind: str, properties: dict[str, Any]) -> Any:
    """The value of the property that holds the key of a resource; None without a key."""
    match kind:
        case "AWS::S3::Bucket":
            (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            return rule["ServerSideEncryptionByDefault"].get("KMSMasterKeyID")
        case "AWS::DynamoDB::Table":
            return properties.get("SSESpecification", {}).get("KMSMasterKeyId")
        case "AWS::Logs::LogGroup" | "AWS::SecretsManager::Secret":
            return properties.get("KmsKeyId")
        case _:
            return properties.get("KmsMasterKeyId")


def test_every_bucket_table_topic_queue_and_secret_uses_the_key(large: Templates) -> None:
    (key,) = large.storage.find_resources("AWS::KMS::Key")
    arn = {"Fn::GetAtt": [key, "Arn"]}
    keys = {
        name: key_of(kind, properties) for kind in ENCRYPTABLE for name, properties in resources(large, kind)
    }
    assert {name for name, value in keys.items() if value == arn} == USES_OF_THE_KEY
    others = set(keys) - USES_OF_THE_KEY
    assert all(keys[name] is None for name in others)
    assert {name for name in others if not name.startswith("AWS::Logs::LogGroup ")} == {
        "AWS::S3::Bucket StorageAccessLogs"
    }


def test_buckets_use_bucket_keys_with_kms(large: Templates) -> None:
    for name, properties in resources(large, "AWS::S3::Bucket"):
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        used = name in USES_OF_THE_KEY
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == ("aws:kms" if used else "AES256")
        assert rule.get("BucketKeyEnabled", False) is used


def test_the_endpoints_results_use_the_key(large: Templates) -> None:
    for template in large.endpoints.values():
        config = only(template, "AWS::SageMaker::EndpointConfig")
        assert "StorageKey" in text(config["AsyncInferenceConfig"]["OutputConfig"]["KmsKeyId"])


def test_the_key_policy_allows_the_account_and_the_publishing_services(large: Templates) -> None:
    key = only(large.storage, "AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True
    statements = key["KeyPolicy"]["Statement"]
    administration = statements[0]
    assert administration["Action"] == "kms:*"
    assert text(administration["Principal"]).count(":root") == 1
    services = {
        service: (each["Effect"], each["Action"], each.get("Condition"))
        for each in statements[1:]
        for service in (
            [each["Principal"]["Service"]]
            if isinstance(each["Principal"]["Service"], str)
            else each["Principal"]["Service"]
        )
    }
    use = ["kms:Decrypt", "kms:GenerateDataKey"]
    account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert services == {
        "cloudwatch.amazonaws.com": ("Allow", use, None),
        "events.amazonaws.com": ("Allow", use, account),
        "sns.amazonaws.com": ("Allow", use, account),
    }
    assert {each["Resource"] for each in statements} == {"*"}


def test_every_role_that_reads_or_publishes_may_use_the_key(large: Templates) -> None:
    for template in (*large.endpoints.values(), large.api):
        for name, policy in template.find_resources("AWS::IAM::Policy").items():
            allowed = {
                action
                for statement in policy["Properties"]["PolicyDocument"]["Statement"]
                if "StorageKey" in text(statement["Resource"])
                for action in actions(statement)
            }
            if name.startswith("WebhooksCall"):
                assert allowed == {"kms:Decrypt"}
            else:
                assert {"kms:Decrypt", "kms:GenerateDataKey"} <= allowed


def test_without_a_customer_managed_key_aws_keys_are_used(small: Templates) -> None:
    for template in small.all():
        template.resource_count_is("AWS::KMS::Key", 0)
        assert "StorageKey" not in text(template.to_json())
    for kind in ENCRYPTABLE:
        assert all(key_of(kind, properties) is None for _, properties in resources(small, kind))
    assert all(
        properties["SqsManagedSseEnabled"] is True for _, properties in resources(small, "AWS::SQS::Queue")
    )
