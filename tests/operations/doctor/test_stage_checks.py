from typing import Any

import pytest

from operations.doctor.check import Check
from operations.doctor.stage_checks import checks_with_account, checks_without_account
from tests.operations.configs import HUB, model, stage
from tests.operations.doctor.conftest import ACCOUNT, StubbedAws

REGISTRY = {
    "source": "registry",
    "repository_arn": "arn:aws:ecr:eu-west-1:123456789012:repository/inference",
    "digest": f"sha256:{'a' * 64}",
    "cuda": 13,
}


def names(checks: list[Check]) -> list[str]:
    return [check.name for check in checks]


def test_the_checks_of_a_stage_with_default_settings(aws: StubbedAws) -> None:
    config = stage()
    assert names(checks_without_account(config)) == ["alarms", "image"]
    assert names(checks_with_account(config, aws, ACCOUNT)) == [
        "IAM permissions",
        "quota ml.g5.xlarge",
        "stacks",
        "names",
        "API Gateway logs",
        "model demo: files",
        "model demo: loading",
        "adapters",
    ]


def test_the_domain_names_and_the_sign_in_page_are_checked(aws: StubbedAws) -> None:
    def domain(name: str, region: str) -> dict[str, str]:
        return {"name": name, "certificate_arn": f"arn:aws:acm:{region}:123456789012:certificate/0a"}

    pool = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_abc"
    config = stage(
        api={
            "auth": {"type": "cognito", "user_pool_arn": pool},
            "domain": domain("api.example.com", "eu-west-1"),
        },
        web={
            "domain": domain("page.example.com", "us-east-1"),
            "sign_in": {"domain": "team.auth.eu-west-1.amazoncognito.com"},
        },
    )
    found = names(checks_with_account(config, aws, ACCOUNT))
    assert found[found.index("API Gateway logs") + 1 :][:3] == [
        "certificate of api.domain",
        "certificate of web.domain",
        "sign-in page",
    ]


def test_a_token_that_models_share_is_checked_once(aws: StubbedAws) -> None:
    models = [model("one", source=HUB), model("two", source=HUB, instance_types=["ml.g6.xlarge"])]
    config = stage(image=REGISTRY, models=models)
    assert names(checks_without_account(config)) == ["alarms"]
    assert names(checks_with_account(config, aws, ACCOUNT)) == [
        "IAM permissions",
        "quota ml.g5.xlarge",
        "quota ml.g6.xlarge",
        "stacks",
        "names",
        "API Gateway logs",
        "image",
        "Hugging Face token",
        "model one: hub",
        "model two: hub",
        "adapters",
    ]


def test_companions_are_checked_like_other_models(aws: StubbedAws) -> None:
    config = stage(models=[model("one", companions=[{"name": "two"}, {"name": "three", "source": HUB}])])
    assert names(checks_with_account(config, aws, ACCOUNT)) == [
        "IAM permissions",
        "quota ml.g5.xlarge",
        "stacks",
        "names",
        "API Gateway logs",
        "Hugging Face token",
        "model one: files",
        "model one: loading",
        "model two: files",
        "model two: loading",
        "model three: hub",
        "adapters",
    ]


@pytest.mark.parametrize(
    ("image", "local", "roles"),
    [
        ("codebuild", ["alarms", "image"], ("deploy", "file-publishing")),
        ("docker", ["alarms", "image", "Docker"], ("deploy", "file-publishing", "image-publishing")),
    ],
)
def test_a_local_image_build_needs_docker_and_the_role_for_publishing_images(
    aws: StubbedAws, image: str, local: list[str], roles: tuple[str, ...]
) -> None:
    config = stage(image={"source": image})
    assert names(checks_without_account(config)) == local
    permissions: Any = checks_with_account(config, aws, ACCOUNT)[0]
    assert permissions.kinds == roles
