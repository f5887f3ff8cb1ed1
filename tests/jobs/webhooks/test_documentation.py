"""The payload, the retries and the code in docs/webhooks.md."""

import base64
import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.submission import WebhookEvent
from contract.webhooks import CALL_LIMIT_S, RETRY_PAUSES_S
from jobs.webhooks.payload import WebhookPayload
from jobs.webhooks.signing import signed_headers
from tests.conftest import ROOT
from tests.jobs.webhooks.webhook_jobs import FINISHED, job_with_webhook

DOCUMENT = (ROOT / "docs" / "webhooks.md").read_text()
KEYS = (b"current" * 6, b"previous" * 6)
SECRET = "whsec_" + base64.b64encode(KEYS[0]).decode()
BODY = '{"type": "job.succeeded"}'


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


def test_the_example_is_a_payload() -> None:
    payload = WebhookPayload.of(job_with_webhook(), WebhookEvent.SUCCEEDED, FINISHED, bucket="data")
    assert blocks("json")[1] == payload.model_dump_json(indent=2) + "\n"


def test_the_pauses_and_the_time_limit_are_those_of_the_contract() -> None:
    units = {"s": 1, "min": 60, "h": 3600}
    pauses = re.findall(r"^\| \d \| (\d+) (s|min|h) \|$", DOCUMENT, re.MULTILINE)
    assert tuple(int(number) * units[unit] for number, unit in pauses) == RETRY_PAUSES_S
    assert f"within {CALL_LIMIT_S} seconds" in DOCUMENT
    assert sum(RETRY_PAUSES_S) // 60 == 3 * 60 + 42


@pytest.mark.parametrize("code", blocks("python"), ids=["library", "by hand"])
def test_the_code_verifies_calls_and_refuses_others(code: str) -> None:
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102 - the document's own code
    verify = namespace["verify"]
    for keys in (KEYS, KEYS[::-1]):
        headers = signed_headers("a-succeeded", datetime.now(UTC), BODY, keys)
        assert verify(SECRET, headers, BODY.encode()) == {"type": "job.succeeded"}
    headers = signed_headers("a-succeeded", datetime.now(UTC), BODY, KEYS[1:])
    old = signed_headers("a-succeeded", datetime(2026, 1, 1, tzinfo=UTC), BODY, KEYS)
    for refused in (headers, old):
        with pytest.raises(Exception, match=r"(?i)signature|old"):
            verify(SECRET, refused, BODY.encode())


def test_the_command_prints_the_secret_as_the_libraries_expect_it(tmp_path: Path) -> None:
    aws = tmp_path / "aws"
    aws.write_text(f"#!/bin/sh\necho {KEYS[0].decode()}\n")
    aws.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SIGNING_SECRET_ARN": "arn"}
    command = ["/bin/bash", "-c", blocks("bash")[0]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{SECRET}\n"
