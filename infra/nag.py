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
        findings: reasons by rule id, such as IAM5, or by rule id and finding, such as IAM5[Resource::*].

    Raises:
        ValueError: a reason is shorter than five words.
    """
    for rule, reason in findings.items():
        if len(reason.split()) < _MIN_REASON_WORDS:
            raise ValueError(
                f"{rule}: the reason {reason!r} is too short; give one of at least {_MIN_REASON_WORDS} words"
            )
        cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"{_PACK}-{rule}", reason=reason))
