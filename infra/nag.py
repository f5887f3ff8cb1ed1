"""The security review: cdk-nag's AwsSolutions rules, and why some findings are as they should be."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

_PACK = "AwsSolutions"
_FEWEST_WORDS = 5


def add_review(app: cdk.App) -> None:
    """Lets synthesis fail on every finding that nobody has accounted for."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def accept(construct: Any, findings: Mapping[str, str]) -> None:
    """Accounts for findings on a construct and all below it.

    Args:
        construct: the smallest construct that holds the resource, or the principal that is granted to.
        findings: the rule's number, such as IAM5, with the finding in brackets where it has one, and why
            it is in order here.
    """
    for rule, reason in findings.items():
        if len(reason.split()) < _FEWEST_WORDS:
            raise ValueError(f"{rule}: say why, in a sentence; {reason!r} does not")
        cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"{_PACK}-{rule}", reason=reason))
