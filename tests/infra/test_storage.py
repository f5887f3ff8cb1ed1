from aws_cdk.assertions import Match

from tests.infra.conftest import Templates


def test_buckets_are_private_encrypted_and_tls_only(small: Templates) -> None:
    template = small.storage
    template.resource_count_is("AWS::S3::Bucket", 3)
    template.all_resources_properties(
        "AWS::S3::Bucket",
        {
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "BucketEncryption": Match.any_value(),
        },
    )
    template.resource_properties_count_is(
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


def test_what_clients_made_expires_and_what_was_kept_survives_the_stack(large: Templates) -> None:
    rules = {
        "LifecycleConfiguration": {"Rules": Match.array_with([{"ExpirationInDays": 5, "Status": "Enabled"}])}
    }
    large.storage.resource_properties_count_is("AWS::S3::Bucket", rules, 1)
    for kind in ("AWS::S3::Bucket", "AWS::DynamoDB::Table"):
        large.storage.all_resources(kind, {"DeletionPolicy": "Retain"})


def test_compiled_code_expires(small: Templates) -> None:
    rule = {"Prefix": "compiled/", "ExpirationInDays": 30, "Status": "Enabled"}
    rules = {"LifecycleConfiguration": {"Rules": Match.array_with([rule])}}
    small.storage.resource_properties_count_is("AWS::S3::Bucket", rules, 1)


def test_what_container_and_api_tell_each_other_expires_after_a_day(large: Templates) -> None:
    rules = [
        {"ExpirationInDays": 1, "Prefix": prefix, "Status": "Enabled"}
        for prefix in ("progress/", "cancellations/")
    ]
    large.storage.resource_properties_count_is(
        "AWS::S3::Bucket", {"LifecycleConfiguration": {"Rules": Match.array_with(rules)}}, 1
    )


def test_job_records_expire_and_can_be_restored(small: Templates) -> None:
    small.storage.has_resource_properties(
        "AWS::DynamoDB::Table",
        {
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        },
    )


def test_both_topics_feed_the_one_queue(small: Templates) -> None:
    template = small.storage
    subscriptions = template.find_resources(
        "AWS::SNS::Subscription", {"Properties": {"Protocol": "sqs", "RawMessageDelivery": True}}
    )
    assert len(subscriptions) == 2
    assert len({str(each["Properties"]["Endpoint"]) for each in subscriptions.values()}) == 1
    assert len({str(each["Properties"]["TopicArn"]) for each in subscriptions.values()}) == 2


def test_what_cannot_be_handled_ends_in_the_dead_letter_queue(small: Templates) -> None:
    small.storage.resource_count_is("AWS::SQS::Queue", 2)
    small.storage.has_resource_properties(
        "AWS::SQS::Queue",
        {
            "VisibilityTimeout": 180,
            "RedrivePolicy": {"maxReceiveCount": 5, "deadLetterTargetArn": Match.any_value()},
        },
    )
