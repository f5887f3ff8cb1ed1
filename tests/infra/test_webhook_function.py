from collections.abc import Iterator
from typing import Any

import pytest

from contract.environment import WebhookEnvironment
from tests.infra.conftest import Templates, text
from tests.infra.functions import WEBHOOKS, actions, function, resolved, statements, variables

CONSUMED = {
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
}


def event_source(templates: Templates) -> Any:
    found = templates.api.find_resources("AWS::Lambda::EventSourceMapping").values()
    (mapping,) = (each["Properties"] for each in found if "WebhookQueue" in text(each))
    return mapping


def permissions(templates: Templates) -> Iterator[tuple[str, str]]:
    """Each permission with the resource that it is limited to."""
    for statement in statements(templates, WEBHOOKS):
        assert statement["Effect"] == "Allow"
        resources = statement["Resource"]
        for resource in resources if isinstance(resources, list) else [resources]:
            for action in actions(statement):
                yield action, text(resource)


def test_each_invocation_makes_one_call_and_ten_run_at_once(small: Templates) -> None:
    mapping = event_source(small)
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (1, {"MaximumConcurrency": 10})
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_timeout_leaves_time_beside_the_call(small: Templates) -> None:
    assert function(small, WEBHOOKS)["Timeout"] == 30


def test_the_function_finds_its_environment(small: Templates) -> None:
    environment = WebhookEnvironment.read(variables(small, WEBHOOKS))
    assert resolved(environment.webhook_queue_url) == "deployed"


@pytest.mark.parametrize("stage", ["small", "large"])
def test_the_function_may_only_read_records_images_and_the_secret_and_consume_the_queue(
    stage: str, request: pytest.FixtureRequest
) -> None:
    templates: Templates = request.getfixturevalue(stage)
    found = {
        (action, resource)
        for action, resource in permissions(templates)
        if not action.startswith(("logs:", "xray:"))
    }
    of = {
        service: {action for action, resource in found if marker in resource}
        for service, marker in {
            "table": "StorageJobs",
            "secret": "SigningSecret",
            "queue": "WebhookQueueCalls",
            "key": "StorageKey",
            "images": "outputs/*",
            "other images": ":s3:::",
        }.items()
    }
    assert of == {
        "images": {"s3:GetObject"},
        "other images": {"s3:GetObject"} if stage == "large" else set(),
        "table": {"dynamodb:GetItem"},
        "secret": {"secretsmanager:GetSecretValue"},
        "queue": CONSUMED,
        "key": {"kms:Decrypt"} if stage == "large" else set(),
    }
    assert {action for action, _ in found} == set().union(*of.values())
    assert not any(resource == '"*"' or "/index/" in resource for _, resource in found)
