from infra.prices import Prices
from operations.cost.assumptions import Assumptions
from operations.cost.idle import idle_items
from operations.cost.inventory import Inventory
from tests.operations.configs import HUB, model, stage


def test_the_line_items_of_a_month_without_jobs(prices: Prices, assumptions: Assumptions) -> None:
    config = stage(
        models=[
            model("one", scaling={"min_instances": 2, "max_instances": 3}),
            model("two", defaults={"width": 1024, "height": 1024}, companions=[{"name": "beside"}]),
            model("three", source=HUB),
        ]
    )
    inventory = Inventory(
        alarm_metrics=7,
        dashboards=1,
        keys=1,
        secrets=1,
        polled_queues=1,
        web_acls=1,
        web_acl_rules=3,
        endpoint_zones=2,
        schedules=1,
        snapshot_gb=0.5,
    )
    items = idle_items(config, inventory, prices, assumptions)
    assert [round(item.usd, 6) for item in items] == [
        5_040.0,  # 2 instances x 700 h x 3.60
        0.0,
        0.0,
        22.0,  # weights of 2 and 7 GB, and 2 of the companion; the third model is on the Hub
        8.0,  # an image of 4 GB
        14.0,  # 7 alarms
        2.0,  # a dashboard
        1_008.0,  # 2 pollers x 700 h x 360 an hour = 504,000 requests
        2.0,  # a key
        4.0,  # the signing secret, and the token of the third model
        2.0,  # a web ACL
        6.0,  # 3 rules
        2_800.0,  # 2 endpoints x 700 h
        84.0,  # the reconciler: 700 h x 60 = 42,000 invocations
        84.0,  # 42,000 x 0.5 s x 2 GB
        252.0,  # 42,000 reads for each of 3 endpoints
        700.0,  # a snapshot of 0.5 GB for 700 h
        0.0,
    ]


def test_resources_that_a_stage_does_not_have_are_omitted(prices: Prices, assumptions: Assumptions) -> None:
    names = {item.name for item in idle_items(stage(), Inventory(), prices, assumptions)}
    assert names == {
        "SageMaker, demo on ml.g5.xlarge",
        "S3 Standard",
        "ECR",
        "API Gateway, CloudFront, the other functions, SNS, X-Ray, DynamoDB's storage",
    }
