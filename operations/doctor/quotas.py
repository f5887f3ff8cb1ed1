"""Check of SageMaker's quotas for the instances of endpoints."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from infra.config import ModelConfig
from operations.doctor.account import Account
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, failed, passed


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
        return self._values.get(f"{instance_type} for endpoint usage")


@dataclass(frozen=True)
class EndpointQuota:
    """The quota of an instance type suffices for all models that can use it.

    Attributes:
        needed: the required number of instances.
    """

    quotas: EndpointQuotas
    account: Account
    instance_type: str
    needed: int

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
        if allowed < self.needed:
            return failed(
                f"the quota is {allowed:g}, but the max_instances of the stage add up to {self.needed}",
                f"request an increase: Service Quotas console in {region}, AWS services, Amazon SageMaker, "
                f'"{self.instance_type} for endpoint usage"',
            )
        return passed(f"the quota is {allowed:g}, at most {self.needed} are needed")


def instances_needed(models: Iterable[ModelConfig]) -> Counter[str]:
    """The maximum number of instances by type. A model may use any of its types for all of its instances."""
    needed: Counter[str] = Counter()
    for model in models:
        for instance_type in model.instance_types:
            needed[instance_type] += model.scaling.max_instances
    return needed
