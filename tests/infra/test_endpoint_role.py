import json
import re

from tests.infra.conftest import Templates, only, synthesize, text
from tests.infra.endpoints import HUB_ARN, allowed, hub_source, model


def test_the_role_may_read_its_models_and_write_only_results(large: Templates) -> None:
    reads, writes = (allowed(large.endpoints["first"], f"s3:{verb}Object") for verb in ("Get", "Put"))
    assert all(
        part in reads for part in ("/first/*", "/requests/*", "/inputs/*", "/outputs/*", "/cancellations/*")
    )
    assert all(part in reads for part in ("/anime/*", ":s3:::team-models/photo/v3/*"))
    assert "/second/*" not in reads
    written = ("outputs", "results", "failures", "progress", "starts", "previews")
    assert all(f"/{prefix}/*" in writes for prefix in written)
    read_only = ("/inputs/*", "/requests/*", "/cancellations/*", "/first/*", "/anime/*")
    assert not any(part in writes for part in read_only)


def test_the_role_may_read_and_list_adapters_but_not_write_them(small: Templates) -> None:
    template = small.endpoints["demo"]
    assert "/adapters/*" in allowed(template, "s3:GetObject")
    assert "StorageModels" in allowed(template, "s3:ListBucket")
    assert "/adapters/*" not in allowed(template, "s3:PutObject")


def test_the_role_may_access_compiled_code_only_with_the_setting_compile(large: Templates) -> None:
    for name, compiled in (("first", True), ("second", False)):
        for action in ("s3:GetObject", "s3:PutObject"):
            assert ("/compiled/*" in allowed(large.endpoints[name], action)) is compiled


def test_the_role_may_read_the_token_of_a_model_on_the_hub() -> None:
    template = synthesize({"models": [model(source=hub_source())]}).endpoints["demo"]
    assert allowed(template, "secretsmanager:GetSecretValue") == text([HUB_ARN])


def test_the_role_may_read_the_files_of_companions_wherever_they_are_stored() -> None:
    companions = [{"name": "near"}, {"name": "far", "source": hub_source()}]
    template = synthesize({"models": [model(companions=companions)]}).endpoints["demo"]
    assert "/near/*" in allowed(template, "s3:GetObject")
    assert allowed(template, "secretsmanager:GetSecretValue") == text([HUB_ARN])


def test_the_role_may_read_a_model_in_another_bucket_instead_of_the_models_bucket() -> None:
    source = {"type": "s3", "uri": "s3://team-models/sd15/v3/"}
    template = synthesize({"models": [model(source=source)]}).endpoints["demo"]
    reads = allowed(template, "s3:GetObject")
    assert ":s3:::team-models/sd15/v3/*" in reads
    assert "/demo/*" not in reads


def test_the_role_may_attach_containers_only_with_a_vpc(small: Templates, large: Templates) -> None:
    assert allowed(small.endpoints["demo"], "ec2:CreateNetworkInterface") == "[]"
    assert "network-interface/*" in allowed(large.endpoints["first"], "ec2:CreateNetworkInterface")


def test_the_role_writes_only_to_the_log_group_of_its_endpoint(small: Templates) -> None:
    template = small.endpoints["demo"]
    name = only(template, "AWS::SageMaker::Endpoint")["EndpointName"]
    (arn,) = json.loads(allowed(template, "logs:PutLogEvents"))
    assert arn["Fn::Join"][1][-1] == f":log-group:/aws/sagemaker/Endpoints/{name}:*"


def test_the_role_may_delete_images_and_nothing_else(small: Templates) -> None:
    deleted = allowed(small.endpoints["demo"], "s3:DeleteObject")
    assert "/outputs/*" in deleted
    assert not any(f"/{prefix}/*" in deleted for prefix in ("inputs", "requests", "results", "adapters"))


def test_the_role_may_read_write_and_delete_images_under_the_output_prefixes_and_nothing_beside_them(
    small: Templates, large: Templates
) -> None:
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
        for template in large.endpoints.values():
            arns = set(re.findall(r":s3:::((?:team-results|archive)[^\"]*)", allowed(template, action)))
            assert arns == {"team-results/images/*", "archive/a/b/*"}
        assert "team-results" not in allowed(small.endpoints["demo"], action)
    assert "team-results" not in allowed(large.endpoints["first"], "s3:ListBucket")
