"""The deployment of the page's files: their order, their caches, and what the function may do."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from infra.config import DeploymentConfig, InvalidConfigurationError
from infra.stacks import add_stacks
from tests.conftest import ROOT
from tests.infra.conftest import SMALL, Templates, only, text
from tests.infra.functions import actions

KIND = "Custom::CDKBucketDeployment"
FLAGS = json.loads((ROOT / "cdk.json").read_text())["context"]


def deployments(templates: Templates) -> tuple[tuple[str, Any], tuple[str, Any]]:
    """The resources that deploy the files with a hash and the others, with their logical ids."""
    found = templates.by_stack["Web"].find_resources(KIND)
    (hashed,) = (each for each in found.items() if "DestinationBucketKeyPrefix" in each[1]["Properties"])
    (entry,) = (each for each in found.items() if each[0] != hashed[0])
    return hashed, entry


def test_files_with_a_hash_are_kept_by_browsers_and_others_are_not(small: Templates) -> None:
    (_, hashed), (_, entry) = deployments(small)
    assert hashed["Properties"]["DestinationBucketKeyPrefix"] == "assets"
    assert hashed["Properties"]["SystemMetadata"] == {"cache-control": "public, max-age=31536000, immutable"}
    assert entry["Properties"]["SystemMetadata"] == {"cache-control": "no-cache"}


def test_files_of_earlier_deployments_stay_for_the_pages_that_are_open(small: Templates) -> None:
    for _, deployment in deployments(small):
        assert deployment["Properties"]["Prune"] is False
    assert "LifecycleConfiguration" not in only(small.by_stack["Web"], "AWS::S3::Bucket")


def test_a_new_index_comes_after_its_files_and_replaces_the_one_at_the_edge(small: Templates) -> None:
    (hashed, _), (_, entry) = deployments(small)
    assert hashed in entry["DependsOn"]
    (distribution,) = small.by_stack["Web"].find_resources("AWS::CloudFront::Distribution")
    assert entry["Properties"]["DistributionId"] == {"Ref": distribution}
    assert entry["Properties"]["DistributionPaths"] == ["/*"]


def test_the_function_may_only_read_uploads_write_the_page_and_invalidate_its_distribution(
    small: Templates,
) -> None:
    web = small.by_stack["Web"]
    (bucket,) = web.find_resources("AWS::S3::Bucket")
    (distribution,) = web.find_resources("AWS::CloudFront::Distribution")
    (logs,) = web.find_resources("AWS::Logs::LogGroup")
    granted = {
        tuple(actions(statement)): text(statement["Resource"])
        for policy in web.find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    }
    assert granted.keys() == {
        ("logs:CreateLogStream", "logs:PutLogEvents"),
        ("s3:GetObject",),
        ("s3:ListBucket",),
        ("s3:PutObject",),
        ("cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"),
    }
    assert logs in granted["logs:CreateLogStream", "logs:PutLogEvents"]
    assert "cdk-hnb659fds-assets-" in granted[("s3:GetObject",)]
    assert all(bucket in granted[(action,)] for action in ("s3:ListBucket", "s3:PutObject"))
    assert distribution in granted["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"]


def test_the_bucket_is_emptied_and_deleted_with_the_stack_even_if_data_is_kept(small: Templates) -> None:
    web = small.by_stack["Web"]
    ((_, bucket),) = web.find_resources("AWS::S3::Bucket").items()
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Delete", "Delete")
    web.resource_count_is("Custom::S3AutoDeleteObjects", 1)


def uploaded(tmp_path: Path, stage: dict[str, Any], page: Path) -> dict[str, str]:
    """The files of the page that are uploaded, with their content; config.json has its final values."""
    app = cdk.App(context=FLAGS, outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    add_stacks(app, DeploymentConfig.for_stage("test", {"test": stage}), page=page)
    assembly = app.synth()
    template = assembly.get_stack_by_name("StableDiffusion-test-Web").template
    files = {}
    for each in template["Resources"].values():
        if each["Type"] == KIND:
            prefix = each["Properties"].get("DestinationBucketKeyPrefix", ".")
            for key in each["Properties"]["SourceObjectKeys"]:
                source = tmp_path / f"asset.{key.removesuffix('.zip')}"
                for path in (path for path in source.rglob("*") if path.is_file()):
                    name = Path(prefix) / path.relative_to(source)
                    files[name.as_posix()] = path.read_text()
    return files


def test_the_built_page_and_its_configuration_are_uploaded_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    contents = {
        "index.html": "page",
        "icon.svg": "icon",
        "assets/main-4F2A.js": "script",
        "assets/main-5B3C.css": "style",
    }
    for name, content in {**contents, ".built": ""}.items():
        (page / name).write_text(content)
    files = uploaded(tmp_path / "cdk.out", SMALL, page)
    assert json.loads(files.pop("config.json")) == {"auth": {"type": "api_key"}}
    assert files == contents


def test_a_page_that_is_not_built_is_explained_in_one_sentence(tmp_path: Path) -> None:
    app, config = cdk.App(context=FLAGS), DeploymentConfig.for_stage("test", {"test": SMALL})
    with pytest.raises(InvalidConfigurationError) as caught:
        add_stacks(app, config, page=tmp_path / "dist")
    assert str(caught.value) == (
        f"the page is not built: {tmp_path / 'dist'} has no index.html; run `make web`, or set web of the "
        "stage to null"
    )


def test_a_stage_without_a_page_needs_no_build(tmp_path: Path) -> None:
    app = cdk.App(context=FLAGS)
    config = DeploymentConfig.for_stage("test", {"test": SMALL | {"web": None}})
    add_stacks(app, config, page=tmp_path / "dist")
    assert not [each for each in app.node.children if each.node.id.endswith("-Web")]
