"""An account of stubbed AWS clients, and shell scripts in place of programs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from operations.doctor.account import Account

REGION = "eu-west-1"
ACCOUNT = Account("123456789012", REGION, "arn:aws:iam::123456789012:user/ada")


class StubbedAws:
    """Boto3 clients with prepared responses, which are checked against AWS's service models.

    Attributes:
        regions: the regions that clients were last asked for by service; None for that of the deployment.
    """

    def __init__(self) -> None:
        self.region: str | None = REGION
        self.regions: dict[str, str | None] = {}
        self._stubs: dict[str, Stubber] = {}

    def stub(self, service: str) -> Stubber:
        if service not in self._stubs:
            create: Any = boto3.client
            stub = Stubber(create(service, region_name=REGION))
            stub.activate()
            self._stubs[service] = stub
        return self._stubs[service]

    def client(self, service: str, region: str | None = None) -> Any:
        self.regions[service] = region
        return self.stub(service).client

    def in_region(self, region: str) -> "StubbedAws":
        self.region = region
        return self

    def deny(self, service: str, method: str) -> None:
        self.stub(service).add_client_error(method, "AccessDeniedException", "no", 403)

    def assert_all_responses_used(self) -> None:
        for stub in self._stubs.values():
            stub.assert_no_pending_responses()


@pytest.fixture
def aws() -> Iterator[StubbedAws]:
    stubbed = StubbedAws()
    yield stubbed
    stubbed.assert_all_responses_used()


Programs = Callable[..., None]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Replaces the PATH by a directory of shell scripts, which are given by their names."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))

    def install(**scripts: str) -> None:
        for name, script in scripts.items():
            program = directory / name
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)

    return install
