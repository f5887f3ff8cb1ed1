"""SageMaker's quotas: how many instances of a type the account may have behind endpoints."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from infra.config import ModelConfig
from operations.doctor.account import Account
from operations.doctor.aws import Aws
from operations.doctor.check import Finding, failed, passed


class EndpointQuotas:
    """The account's quotas by name, asked for once."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._values: dict[str, float] | None = None

    def of(self, instance_type: str) -> float | None:
        """How many instances of the type endpoints may have; None if there is no such quota here."""
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
    """The quota of one instance type is enough for every model that may run on it.

    Attributes:
        needed: instances.
    """

    quotas: EndpointQuotas
    account: Account
    instance_type: str
    needed: int

    @property
    def name(self) -> str:
        """See `Check.name`."""
        return f"quota {self.instance_type}"

    def run(self) -> Finding:
        """See `Check.run`."""
        allowed = self.quotas.of(self.instance_type)
        region = self.account.region
        if allowed is None:
            return failed(
                f"{region} has no quota for {self.instance_type} behind endpoints: it is not offered there",
                "choose another instance type or region",
            )
        if allowed < self.needed:
            return failed(
                f"{allowed:g} allowed, the stage's max_instances add up to {self.needed}",
                f"ask for more: Service Quotas console in {region}, AWS services, Amazon SageMaker, "
                f'"{self.instance_type} for endpoint usage"',
            )
        return passed(f"{allowed:g} allowed, {self.needed} needed at the most")


def instances_needed(models: Iterable[ModelConfig]) -> Counter[str]:
    """By instance type, the most instances that there can be; a pool may take all from any of its types."""
    needed: Counter[str] = Counter()
    for model in models:
        for instance_type in model.instance_types:
            needed[instance_type] += model.scaling.max_instances
    return needed
