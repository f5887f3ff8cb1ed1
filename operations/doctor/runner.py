"""The order of all checks: this machine, the configuration, the AWS account."""

from collections.abc import Iterator
from pathlib import Path

from operations.doctor.account import Bootstrap, Credentials
from operations.doctor.aws import Aws
from operations.doctor.check import Check, CheckResult, Status, run_check, skipped
from operations.doctor.configuration import Configuration
from operations.doctor.machine import CdkCli, NodeVersion, PythonVersion

NamedResult = tuple[str, CheckResult]
"""The name of a check and its result."""


def run_checks(stage: str, aws: Aws, root: Path) -> Iterator[NamedResult]:
    """Runs all checks that the stage needs and that can run; yields each result as soon as it is known.

    Args:
        stage: the name of the stage in cdk.json.
        aws: the clients of the account.
        root: the directory of cdk.json.
    """
    node = run_check(NodeVersion())
    yield from _run_each(PythonVersion())
    yield NodeVersion.name, node
    yield from _run_each(CdkCli())

    configuration = Configuration(stage, root)
    if node.status is Status.PASS:
        yield from _run_each(configuration)
    else:
        yield configuration.name, skipped("not checked, because reading it needs Node")
    config = configuration.config
    if config is not None:
        from operations.doctor import stage_checks  # imports aws_cdk, which needs Node

        yield from _run_each(*stage_checks.checks_without_account(config))

    environment = config.environment if config is not None else None
    if environment is not None:
        aws = aws.in_region(environment.region)
    credentials = Credentials(
        aws, expected=environment.account if environment else None, qualifier=configuration.qualifier
    )
    yield from _run_each(credentials)
    account = credentials.account
    if account is not None:
        yield from _run_each(Bootstrap(aws, account))
        if config is not None:
            yield from _run_each(*stage_checks.checks_with_account(config, aws, account))
    elif config is not None:
        yield from _run_each(*stage_checks.quotas_to_request(config))


def _run_each(*checks: Check) -> Iterator[NamedResult]:
    for check in checks:
        yield check.name, run_check(check)
