import json
import re
import tomllib
from typing import Any

import aws_cdk as cdk
import pytest

from infra.config import DeploymentConfig
from infra.stacks import add_stacks
from operations.versions import BOOTSTRAP, BOOTSTRAP_QUALIFIER, CDK_CLI, NODE, PYTHON
from tests.conftest import ROOT
from tests.infra.conftest import PAGE


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Any:
    directory = tmp_path_factory.mktemp("cdk.out")
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = cdk.App(context=context, outdir=str(directory), builtin_cloud_formation_validation=False)
    add_stacks(app, DeploymentConfig.from_context(context), page=PAGE)
    app.synth()
    return json.loads((directory / "manifest.json").read_text())


def test_the_documents_name_only_the_pinned_cli() -> None:
    documents = [ROOT / "README.md", ROOT / "Makefile", *(ROOT / "docs").glob("*.md")]
    named = [re.findall(r"aws-cdk@([\d.]+\d)", page.read_text()) for page in documents]
    assert {version for versions in named for version in versions} == {CDK_CLI}


def test_the_pinned_cli_can_read_what_the_cdk_library_writes(manifest: Any) -> None:
    def parts(version: str) -> list[int]:
        return [int(part) for part in version.split(".")]

    assert parts(CDK_CLI) >= parts(manifest["minimumCliVersion"])


def test_the_bootstrap_version_is_that_of_the_templates(manifest: Any) -> None:
    properties = [each.get("properties", {}) for each in manifest["artifacts"].values()]
    required = {each.get("requiresBootstrapStackVersion") for each in properties} - {None}
    assert max(required) == BOOTSTRAP
    parameters = {each.get("bootstrapStackVersionSsmParameter") for each in properties} - {None}
    assert parameters == {f"/cdk-bootstrap/{BOOTSTRAP_QUALIFIER}/version"}


def test_python_and_node_are_those_of_the_project_and_the_readme() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=" + ".".join(map(str, PYTHON))
    assert f"Node {NODE} or newer" in (ROOT / "README.md").read_text()
