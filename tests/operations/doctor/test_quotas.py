import pytest

from operations.doctor.check import Status, finding_of
from operations.doctor.quotas import EndpointQuota, EndpointQuotas, instances_needed
from tests.operations.conftest import ACCOUNT, StubbedAws, model, stage


def answer(aws: StubbedAws, *pages: dict[str, float]) -> None:
    token = None
    for number, page in enumerate(pages, start=1):
        following = f"page{number}" if number < len(pages) else None
        aws.stub("service-quotas").add_response(
            "list_service_quotas",
            {
                "Quotas": [{"QuotaName": name, "Value": value} for name, value in page.items()],
                **({"NextToken": following} if following else {}),
            },
            {"ServiceCode": "sagemaker", **({"NextToken": token} if token else {})},
        )
        token = following


@pytest.mark.parametrize(
    ("allowed", "needed", "status"), [(4, 4, Status.PASS), (3, 4, Status.FAIL), (0, 1, Status.FAIL)]
)
def test_the_quota_is_compared_with_what_the_stage_may_use(
    aws: StubbedAws, allowed: float, needed: int, status: Status
) -> None:
    answer(aws, {"ml.g5.xlarge for endpoint usage": allowed, "ml.g5.xlarge for training job usage": 99})
    finding = EndpointQuota(EndpointQuotas(aws), ACCOUNT, "ml.g5.xlarge", needed).run()
    assert finding.status is status
    assert f"{allowed:g} allowed" in finding.found
    assert (status is Status.PASS) or '"ml.g5.xlarge for endpoint usage"' in finding.remedy


def test_every_page_is_read_once_for_all_types(aws: StubbedAws) -> None:
    answer(aws, {"ml.g5.xlarge for endpoint usage": 1}, {"ml.g6.xlarge for endpoint usage": 2})
    quotas = EndpointQuotas(aws)
    assert (quotas.of("ml.g6.xlarge"), quotas.of("ml.g5.xlarge")) == (2, 1)


def test_a_type_that_the_region_does_not_offer_fails(aws: StubbedAws) -> None:
    answer(aws, {})
    finding = EndpointQuota(EndpointQuotas(aws), ACCOUNT, "ml.p5.48xlarge", 1).run()
    assert (finding.status, "not offered" in finding.found) == (Status.FAIL, True)


def test_quotas_that_one_may_not_see_are_skipped(aws: StubbedAws) -> None:
    aws.deny("service-quotas", "list_service_quotas")
    check = EndpointQuota(EndpointQuotas(aws), ACCOUNT, "ml.g5.xlarge", 1)
    assert finding_of(check).status is Status.SKIPPED


def test_the_models_needs_add_up_and_a_pool_may_need_any_of_its_types() -> None:
    config = stage(
        models=[
            model("one", instance_types=["ml.g5.xlarge", "ml.g6.xlarge"], scaling={"max_instances": 3}),
            model("two", instance_types=["ml.g6.xlarge"], scaling={"max_instances": 2}),
        ]
    )
    assert instances_needed(config.models) == {"ml.g5.xlarge": 3, "ml.g6.xlarge": 5}
