from infra.prices import Prices
from operations.cost.assumptions import Assumptions
from operations.cost.services import service_items
from tests.operations.configs import stage


def test_the_line_items_of_1_000_images(prices: Prices, assumptions: Assumptions) -> None:
    config = stage(retention_days=60, log_retention_days=90, tracing=False, web=None)
    items = service_items(1_000, assumptions.families["sd15"], config, prices, assumptions)
    assert [round(item.usd, 6) for item in items] == [
        10.0,  # 5,000 requests
        12.0,  # 6,000 invocations
        12.0,  # 6,000 x 0.5 s x 2 GB
        6.0,  # 3,000 writes
        10.0,  # 1,000 x (1 + 4) reads
        0.04,  # 0.01 GB for 2 months
        0.04,
        12.0,  # 6,000 PUT
        14.0,  # 7,000 GET
        2.0,  # 0.5 GB for 2 months
        2.0,  # 1,000 notifications
        6.0,  # 3,000 queue requests
        0.04,  # 0.02 GB of logs
        0.12,  # for 3 months
        18.0,  # 9 metrics
        2.0,  # 0.5 GB, downloaded twice
        10.0,  # 5,000 requests with a key
        2.0,  # 5,000 x 0.1 s x 2 GB
    ]


def test_only_api_keys_have_an_authorizer(prices: Prices, assumptions: Assumptions) -> None:
    family = assumptions.families["sd15"]
    keys, signed = (
        service_items(1_000, family, stage(api={"auth": {"type": kind}}, web=None), prices, assumptions)
        for kind in ("api_key", "iam")
    )
    assert len(keys) == len(signed) + 2


def test_a_page_tracing_and_the_firewall_add_line_items(prices: Prices, assumptions: Assumptions) -> None:
    family = assumptions.families["sd15"]
    plain = service_items(1_000, family, stage(tracing=False, web=None), prices, assumptions)
    config = stage(api={"firewall_requests_per_5_minutes": 100})
    more = service_items(1_000, family, config, prices, assumptions)
    assert more[: len(plain)] == plain
    assert [(item.name, item.usd) for item in more[len(plain) :]] == [
        ("CloudFront", 10.0),  # 5,000 requests
        ("CloudFront, transfer", 1.0),  # 0.5 GB
        ("X-Ray", 12.0),
        ("WAF", 10.0),
    ]
