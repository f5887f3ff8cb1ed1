"""AWS prices from prices.toml."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

PRICES = Path(__file__).with_name("prices.toml")


class UnknownInstanceTypeError(LookupError):
    """prices.toml has no price for an instance type."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Instance(_Table):
    """The price of an instance type.

    Attributes:
        gpu: the name of the GPU.
        source: a key of `Prices.sources`.
        checked: the date of the last comparison with AWS's price page; None if it was never compared.
    """

    gpu: str
    gpus: int = Field(gt=0)
    usd_per_hour: float = Field(gt=0)
    source: str
    checked: date | None = None


class Price(_Table):
    """A price of `usd` US dollars for `per` units.

    Attributes:
        source, checked: see `Instance`.
    """

    name: str
    usd: float = Field(gt=0)
    per: int = Field(gt=0)
    unit: str
    source: str
    checked: date | None = None

    def of(self, quantity: float) -> float:
        """The cost in USD of a quantity of the unit."""
        return quantity * self.usd / self.per

    def __str__(self) -> str:
        if self.per == 1:
            return f"${self.usd:g}"
        return f"${self.usd:g} / {self.per:,}"


class Services(_Table):
    """The prices of all services except instances."""

    api_request: Price
    firewall_acl: Price
    firewall_rule: Price
    firewall_request: Price
    lambda_request: Price
    lambda_gb_second: Price
    snapshot_gb_hour: Price
    dynamodb_write: Price
    dynamodb_read: Price
    dynamodb_gb_month: Price
    dynamodb_recovery_gb_month: Price
    s3_put: Price
    s3_get: Price
    s3_gb_month: Price
    sns_publish: Price
    sqs_request: Price
    log_gb: Price
    log_gb_month: Price
    alarm_metric: Price
    dashboard: Price
    custom_metric: Price
    trace: Price
    image_gb_month: Price
    key_month: Price
    secret_month: Price
    vpc_endpoint_hour: Price
    internet_gb: Price
    cloudfront_request: Price
    cloudfront_gb: Price

    def all(self) -> list[Price]:
        """All prices, in the order of the file."""
        return [getattr(self, name) for name in type(self).model_fields]


class Prices(_Table):
    """The content of prices.toml."""

    region: str
    written: date
    sources: dict[str, str]
    instances: dict[str, Instance]
    services: Services

    @model_validator(mode="after")
    def _check_sources(self) -> Self:
        entries: list[Instance | Price] = [*self.instances.values(), *self.services.all()]
        unknown = sorted({entry.source for entry in entries} - set(self.sources))
        if unknown:
            raise ValueError(f"prices have sources that [sources] does not explain: {', '.join(unknown)}")
        return self

    @classmethod
    def read(cls, path: Path = PRICES) -> Self:
        """Reads and validates the file."""
        return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))

    def instance(self, instance_type: str) -> Instance:
        """The price of an instance type.

        Raises:
            UnknownInstanceTypeError: the file has no price for it.
        """
        if instance_type not in self.instances:
            raise UnknownInstanceTypeError(
                f"infra/prices.toml has no price for {instance_type}; look it up at "
                "https://aws.amazon.com/sagemaker/ai/pricing/ and add it to [instances]. Known types: "
                f"{', '.join(self.instances)}"
            )
        return self.instances[instance_type]
