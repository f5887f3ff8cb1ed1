import pytest

from operations.doctor.check import Status, run_check
from operations.doctor.quotas import EndpointQuota, EndpointQuotas, InstancesNeeded, instances_needed
from operations.doctor.stage_checks import quotas_to_request
from tests.operations.configs import model, stage
from tests.operations.doctor.conftest import ACCOUNT, StubbedAws

NEEDED = InstancesNeeded(running=4, updating=6)


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
    ("allowed", "status"),
    [(6, Status.PASS), (5, Status.WARN), (4, Status.WARN), (3, Status.FAIL), (0, Status.FAIL)],
)
def test_the_quota_is_compared_with_what_the_stage_and_its_updates_need(
    aws: StubbedAws, allowed: float, status: Status
) -> None:
    respond(aws, {"ml.g5.xlarge for endpoint usage": allowed, "ml.g5.xlarge for training job usage": 99})
    result = EndpointQuota(EndpointQuotas(aws), ACCOUNT, "ml.g5.xlarge", NEEDED).run()
    assert result.status is status
    assert f"the quota is {allowed:g}" in result.message
    if status is not Status.PASS:
        assert "request 6" in result.remedy
        assert "'ml.g5.xlarge for endpoint usage'; approval can take days" in result.remedy


def test_all_pages_are_read_once_for_all_types(aws: StubbedAws) -> None:
    respond(aws, {"ml.g5.xlarge for endpoint usage": 1}, {"ml.g6.xlarge for endpoint usage": 2})
    quotas = EndpointQuotas(aws)
    assert (quotas.of("ml.g6.xlarge"), quotas.of("ml.g5.xlarge")) == (2, 1)


def test_a_type_that_is_not_available_in_the_region_fails(aws: StubbedAws) -> None:
    respond(aws, {})
    result = EndpointQuota(EndpointQuotas(aws), ACCOUNT, "ml.p5.48xlarge", NEEDED).run()
    assert (result.status, "not available" in result.message) == (Status.FAIL, True)


def test_without_permission_the_quota_check_is_skipped(aws: StubbedAws) -> None:
    aws.deny("service-quotas", "list_service_quotas")
    check = EndpointQuota(EndpointQuotas(aws), ACCOUNT, "ml.g5.xlarge", NEEDED)
    assert run_check(check).status is Status.SKIPPED


def test_max_instances_are_added_up_for_each_type_and_an_update_needs_room_for_one_more_fleet() -> None:
    config = stage(
        models=[
            model("one", instance_types=["ml.g5.xlarge", "ml.g6.xlarge"], scaling={"max_instances": 3}),
            model("two", instance_types=["ml.g6.xlarge"], scaling={"max_instances": 2}),
        ]
    )
    assert instances_needed(config.models) == {
        "ml.g5.xlarge": InstancesNeeded(running=3, updating=6),
        "ml.g6.xlarge": InstancesNeeded(running=5, updating=8),
    }


def test_without_an_account_the_quota_to_request_is_named() -> None:
    (check,) = quotas_to_request(stage(models=[model(scaling={"max_instances": 4})]))
    result = check.run()
    assert (check.name, result.status) == ("quota ml.g5.xlarge", Status.SKIPPED)
    assert "needs 4 instances, and 8 while an endpoint is updated: request 8 of" in result.message
    assert "'ml.g5.xlarge for endpoint usage'" in result.message
    assert "approval can take days" in result.message
