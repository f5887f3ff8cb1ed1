from typing import Any

from contract.webhooks import CALL_LIMIT_S, MAX_CALLS, RETRY_PAUSES_S
from tests.infra.conftest import Templates, text

FUNCTION_TIMEOUT_S = 30
RETENTION_S = 4 * 24 * 3600
"""The retention of messages without a period."""


def queue(templates: Templates, name: str) -> Any:
    found = templates.storage.find_resources("AWS::SQS::Queue")
    ((_, resource),) = ((key, each) for key, each in found.items() if key.startswith(f"WebhookQueue{name}"))
    return resource["Properties"]


def test_a_message_moves_to_the_dead_letter_queue_after_the_last_call(small: Templates) -> None:
    policy = queue(small, "Calls")["RedrivePolicy"]
    assert policy["maxReceiveCount"] == MAX_CALLS == 8
    assert "WebhookQueueDeadLetters" in text(policy["deadLetterTargetArn"])


def test_a_message_outlives_all_pauses(small: Templates) -> None:
    assert "MessageRetentionPeriod" not in queue(small, "Calls")
    assert 2 * sum(RETRY_PAUSES_S) < RETENTION_S
    assert queue(small, "DeadLetters")["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_a_message_is_delivered_after_the_jobs_record_has_changed(small: Templates) -> None:
    assert queue(small, "Calls")["DelaySeconds"] == 1


def test_a_message_is_invisible_for_longer_than_its_call_takes(small: Templates) -> None:
    assert CALL_LIMIT_S < FUNCTION_TIMEOUT_S
    assert queue(small, "Calls")["VisibilityTimeout"] == 6 * FUNCTION_TIMEOUT_S


def test_the_queues_are_encrypted_and_allow_only_encrypted_connections(
    small: Templates, large: Templates
) -> None:
    for name in ("Calls", "DeadLetters"):
        assert queue(small, name)["SqsManagedSseEnabled"] is True
        assert "StorageKey" in text(queue(large, name)["KmsMasterKeyId"])
    for templates in (small, large):
        policies = templates.storage.find_resources("AWS::SQS::QueuePolicy")
        denials = [
            statement
            for logical_id, policy in policies.items()
            if logical_id.startswith("WebhookQueue")
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]
        assert [(each["Effect"], each["Condition"]) for each in denials] == [
            ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
        ] * 2
