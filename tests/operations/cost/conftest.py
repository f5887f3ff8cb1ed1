"""Prices and assumptions with round numbers, for sums that can be done by hand."""

import tomllib
from typing import Any

import pytest

from infra.prices import PRICES, Prices
from operations.cost.assumptions import ASSUMPTIONS, Assumptions


@pytest.fixture(scope="session")
def prices() -> Prices:
    """Round prices: 3.60 per instance hour, 2 per 1,000 or per single unit of all services."""
    document: dict[str, Any] = tomllib.loads(PRICES.read_text())
    for instance in document["instances"].values():
        instance["usd_per_hour"] = 3.60
    for service in document["services"].values():
        service.update(usd=2.0, per=1_000 if service["per"] > 1 else 1)
    return Prices.model_validate(document)


@pytest.fixture(scope="session")
def assumptions() -> Assumptions:
    document: dict[str, Any] = tomllib.loads(ASSUMPTIONS.read_text())
    document["usage"] = {
        "days_per_month": 30,
        "hours_per_month": 700,
        "sessions_per_day": 1,
        "session_hours": 2,
        "start_up_s": 300,
    }
    document["idle"] = {"pollers": 2, "poll_s": 10, "image_gb": 4}
    document["job"] = {
        "polls": 4,
        "function_s": 0.5,
        "authorizer_s": 0.1,
        "function_gb": 2,
        "table_writes": 3,
        "table_reads": 1,
        "record_kb": 10,
        "bucket_puts": 6,
        "bucket_gets": 7,
        "notifications": 1,
        "queue_requests": 3,
        "log_kb": 20,
        "container_metrics": 9,
        "downloads": 2,
        "answer_kb": 100,
    }
    document["families"]["sd15"] |= {"steps": 20, "image_mb": 0.5, "weights_gb": 2}
    document["families"]["sdxl"] |= {"steps": 30, "image_mb": 2, "weights_gb": 7}
    document["speeds"] = [{"family": "sd15", "gpu": "A10G", "steps_per_s": 5, "source": "a table"}]
    return Assumptions.model_validate(document)
