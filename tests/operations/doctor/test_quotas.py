import pytest

from operations.doctor.check import Status, run_check
from operations.doctor.quotas import EndpointQuota, EndpointQuotas, instances_needed
from tests.operations.configs import model, stage
from tests.operations.doctor.conftest import ACCOUNT, StubbedAws


def respond(aws: StubbedAws, *pages: dict[str, float]) -> None:
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
def test_the_quota_is_compared_with_the_needed_instances(
    aws: StubbedAws, allowed: float, needed: int, status: Status
) -> None:
    respond(aws, {"ml.g5.xlarge for endpoint usage": allowed, "ml.g5.xlarge for training job usage": 99})
    result = EndpointQuota(EndpointQuotas(aws), ACCOUNT, "ml.g5.xlarge", needed).run()
    assert result.status is status
    assert f"the quota is {allowed:g}" in result.message
    assert (status is Status.PASS) or '"ml.g5.xlarge for endpoint usage"' in result.remedy


def test_all_pages_are_read_once_for_all_types(aws: StubbedAws) -> None:
    respond(aws, {"ml.g5.xlarge for endpoint usage": 1}, {"ml.g6.xlarge for endpoint usage": 2})
    quotas = EndpointQuotas(aws)
    assert (quotas.of("ml.g6.xlarge"), quotas.of("ml.g5.xlarge")) == (2, 1)


def test_a_type_that_is_not_available_in_the_region_fails(aws: StubbedAws) -> None:
    respond(aws, {})
    result = EndpointQuota(EndpointQuotas(aws), ACCOUNT, "ml.p5.48xlarge", 1).run()
    assert (result.status, "not available" in result.message) == (Status.FAIL, True)


def test_without_permission_the_quota_check_is_skipped(aws: StubbedAws) -> None:
    aws.deny("service-quotas", "list_service_quotas")
    check = EndpointQuota(EndpointQuotas(aws), ACCOUNT, "ml.g5.xlarge", 1)
    assert run_check(check).status is Status.SKIPPED


def test_max_instances_are_added_up_for_each_type_that_a_model_may_use() -> None:
    config = stage(
        models=[
            model("one", instance_types=["ml.g5.xlarge", "ml.g6.xlarge"], scaling={"max_instances": 3}),
            model("two", instance_types=["ml.g6.xlarge"], scaling={"max_instances": 2}),
        ]
    )
    assert instances_needed(config.models) == {"ml.g5.xlarge": 3, "ml.g6.xlarge": 5}
