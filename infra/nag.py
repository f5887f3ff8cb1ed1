"""cdk-nag: the AwsSolutions rules, and acknowledged findings with their reasons."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

_PACK = "AwsSolutions"
_MIN_REASON_WORDS = 5


def add_nag_checks(app: cdk.App) -> None:
    """Makes synthesis fail on every finding that is not acknowledged."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def acknowledge(construct: Any, findings: Mapping[str, str]) -> None:
    """Acknowledges findings on a construct and everything below it.

    Args:
        construct: the smallest construct that contains the resource, or the principal of a grant.
        findings: reasons by rule id, such as IAM5, or by rule id and finding, such as IAM5[Resource::*]. A
            finding has the names of a stack without an environment and with the default bootstrap stack:
            <AWS::AccountId>, <AWS::Region> and hnb659fds.

    Raises:
        ValueError: a reason is shorter than five words.
    """
    for rule, reason in findings.items():
        if len(reason.split()) < _MIN_REASON_WORDS:
            raise ValueError(
                f"{rule}: the reason {reason!r} is too short; give one of at least {_MIN_REASON_WORDS} words"
            )
        finding = f"{_PACK}-{_in_environment(rule, cdk.Stack.of(construct))}"
        cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))


def _in_environment(rule: str, stack: cdk.Stack) -> str:
    """The rule with the stack's own account, region and qualifier, as far as they are known."""
    for name, value in (
        ("<AWS::AccountId>", stack.account),
        ("<AWS::Region>", stack.region),
        (cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER, stack.synthesizer.bootstrap_qualifier),
    ):
        if value is not None and not cdk.Token.is_unresolved(value):
            rule = rule.replace(name, value)
    return rule
