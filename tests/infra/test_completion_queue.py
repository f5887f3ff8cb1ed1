from typing import Any

from tests.infra.conftest import Templates, only, text


def queue(templates: Templates, name: str) -> Any:
    found = templates.storage.find_resources("AWS::SQS::Queue")
    ((_, resource),) = (
        (key, each) for key, each in found.items() if key.startswith(f"CompletionQueue{name}")
    )
    return resource["Properties"]


def test_both_topics_deliver_raw_messages_to_the_queue(small: Templates) -> None:
    subscriptions = small.storage.find_resources("AWS::SNS::Subscription").values()
    found = {
        (
            each["Properties"]["Protocol"],
            each["Properties"]["RawMessageDelivery"],
            text(each["Properties"]["Endpoint"]),
        )
        for each in subscriptions
    }
    ((protocol, raw, endpoint),) = found
    assert (protocol, raw) == ("sqs", True)
    assert "CompletionQueueCompletions" in endpoint
    topics = sorted(each["Properties"]["TopicArn"]["Ref"] for each in subscriptions)
    assert [topic[: len("CompletionQueueError")] for topic in topics] == [
        "CompletionQueueError",
        "CompletionQueueSucce",
    ]


def test_a_message_moves_to_the_dead_letter_queue_after_five_attempts(small: Templates) -> None:
    policy = queue(small, "Completions")["RedrivePolicy"]
    assert policy["maxReceiveCount"] == 5
    assert "CompletionQueueDeadLetters" in text(policy["deadLetterTargetArn"])


def test_the_retention_of_messages(small: Templates) -> None:
    """Without a period, SQS keeps messages for four days."""
    assert "MessageRetentionPeriod" not in queue(small, "Completions")
    assert queue(small, "DeadLetters")["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_only_encrypted_connections_are_allowed(small: Templates) -> None:
    for kind in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        found = small.storage.find_resources(kind).items()
        policies = [policy for name, policy in found if name.startswith("CompletionQueue")]
        assert len(policies) == 2
        for policy in policies:
            denied = [
                statement["Condition"]
                for statement in policy["Properties"]["PolicyDocument"]["Statement"]
                if statement["Effect"] == "Deny"
            ]
            assert denied == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_the_endpoints_role_may_publish_to_both_topics(small: Templates) -> None:
    statements = only(small.endpoints["demo"], "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    (resources,) = (each["Resource"] for each in statements if each["Action"] == "sns:Publish")
    assert len(resources) == 2
    assert "CompletionQueueSuccess" in text(resources)
    assert "CompletionQueueError" in text(resources)
