"""Check of SageMaker's quotas for the instances of endpoints."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from infra.config import ModelConfig
from operations.doctor.account import Account
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, failed, passed, skipped, warning

_APPROVAL = "approval can take days"


class EndpointQuotas:
    """The account's SageMaker quotas, fetched once."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._values: dict[str, float] | None = None

    def of(self, instance_type: str) -> float | None:
        """The quota for instances of the type; None if the region does not have one."""
        if self._values is None:
            pages = self._aws.client("service-quotas").get_paginator("list_service_quotas")
            self._values = {
                quota["QuotaName"]: quota["Value"]
                for page in pages.paginate(ServiceCode="sagemaker")
                for quota in page["Quotas"]
            }
        return self._values.get(_quota_name(instance_type))


@dataclass(frozen=True)
class InstancesNeeded:
    """The instances of one type that the models of a stage need at most.

    Attributes:
        running: while all models that may use the type run on it, each with its `max_instances`.
        updating: while one of their endpoints is updated too: its new instances start before the old ones
            stop. They are as many as the old ones, or a new endpoint's, if the instance types change.
    """

    running: int
    updating: int

    def __str__(self) -> str:
        return f"{self.running} instances, and {self.updating} while an endpoint is updated"


def instances_needed(models: Iterable[ModelConfig]) -> dict[str, InstancesNeeded]:
    """The instances that the stage needs, by type. A model may use any of its types for all of its instances.

    Endpoints are updated one after the other, as `cdk deploy` does without `--concurrency`.
    """
    maximums: dict[str, list[int]] = defaultdict(list)
    for model in models:
        for instance_type in model.instance_types:
            maximums[instance_type].append(model.scaling.max_instances)
    return {
        instance_type: InstancesNeeded(sum(counts), sum(counts) + max(counts))
        for instance_type, counts in maximums.items()
    }


@dataclass(frozen=True)
class EndpointQuota:
    """The quota of an instance type suffices for all models that can use it, and for updating them."""

    quotas: EndpointQuotas
    account: Account
    instance_type: str
    needed: InstancesNeeded

    @property
    def name(self) -> str:
        """See `Check.name`."""
        return f"quota {self.instance_type}"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        allowed = self.quotas.of(self.instance_type)
        region = self.account.region
        if allowed is None:
            return failed(
                f"{region} has no quota for endpoints on {self.instance_type}: it is not available there",
                "choose another instance type or region",
            )
        remedy = (
            f"request {self.needed.updating}: Service Quotas console in {region}, AWS services, Amazon "
            f"SageMaker, {_quota_name(self.instance_type)!r}; {_APPROVAL}"
        )
        if allowed < self.needed.running:
            return failed(
                f"the quota is {allowed:g}, but the max_instances of the stage add up to "
                f"{self.needed.running}",
                remedy,
            )
        if allowed < self.needed.updating:
            return warning(
                f"the quota is {allowed:g}: enough for the {self.needed.running} of the stage, but an "
                f"update at full load needs {self.needed.updating}: new instances start before the old stop",
                f"{remedy}; or update while fewer run",
            )
        return passed(f"the quota is {allowed:g}, at most {self.needed.updating} are needed")


@dataclass(frozen=True)
class QuotaToRequest:
    """The quota that the account must have for an instance type, without a look at the account."""

    instance_type: str
    needed: InstancesNeeded

    @property
    def name(self) -> str:
        """See `Check.name`."""
        return f"quota {self.instance_type}"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        return skipped(
            f"the stage needs {self.needed}: request {self.needed.updating} of "
            f"{_quota_name(self.instance_type)!r} in Service Quotas first, in the region of the deployment; "
            f"new accounts often have 0, and {_APPROVAL}"
        )


def _quota_name(instance_type: str) -> str:
    return f"{instance_type} for endpoint usage"
