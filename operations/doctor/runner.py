"""Every check in order: this machine, cdk.json, and then the account that a deployment goes to."""

from collections.abc import Iterator
from pathlib import Path

from operations.doctor.account import Bootstrap, Credentials
from operations.doctor.aws import Aws
from operations.doctor.check import Check, Finding, Status, finding_of, skipped
from operations.doctor.configuration import Configuration
from operations.doctor.machine import CdkCli, NodeVersion, PythonVersion

Line = tuple[str, Finding]
"""A check's name, and what it found."""


def examine(stage: str, aws: Aws, root: Path) -> Iterator[Line]:
    """Looks at everything that a deployment of the stage needs, as far as it can be seen.

    Args:
        stage: its name in cdk.json.
        aws: the account.
        root: the directory of cdk.json.
    """
    node = finding_of(NodeVersion())
    yield from _each(PythonVersion())
    yield NodeVersion.name, node
    yield from _each(CdkCli())

    configuration = Configuration(stage, root)
    if node.status is Status.PASS:
        yield from _each(configuration)
    else:
        yield configuration.name, skipped("what reads it needs Node")
    config = configuration.config
    if config is not None:
        from operations.doctor import stage_checks  # its imports start Node

        yield from _each(*stage_checks.checks_without_account(config))

    credentials = Credentials(aws)
    yield from _each(credentials)
    account = credentials.account
    if account is not None:
        yield from _each(Bootstrap(aws, account))
        if config is not None:
            yield from _each(*stage_checks.checks_of_account(config, aws, account))


def _each(*checks: Check) -> Iterator[Line]:
    for check in checks:
        yield check.name, finding_of(check)
