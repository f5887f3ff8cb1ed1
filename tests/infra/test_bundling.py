"""The bundle, in an interpreter that sees only the bundle and the packages of the Powertools layer."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from botocore import xform_name

from contract.environment import ApiEnvironment, ModelEndpoint, ReconcilerEnvironment, WebhookEnvironment
from contract.model import ModelDeclaration
from infra.bundled_botocore import _OPERATIONS, AWS_SERVICES
from infra.bundling import _source_of, _SourceBundle
from tests.conftest import ROOT

LAYER = (
    "annotated_types",
    "aws_lambda_powertools",
    "pydantic",
    "pydantic_core",
    "typing_extensions",
    "typing_inspection",
)
"""Packages of the Powertools layer that the functions use."""

API = ApiEnvironment(
    jobs_table_name="jobs",
    estimates_table_name="estimates",
    data_bucket_name="data",
    models_bucket_name="models",
    webhook_queue_url="https://sqs.us-east-1.amazonaws.com/000000000000/webhooks",
    signing_secret_arn="arn:aws:secretsmanager:us-east-1:000000000000:secret:signing",  # noqa: S106
    powertools_service_name="jobs",
    model_endpoints=(
        ModelEndpoint(model=ModelDeclaration(name="demo"), queue="demo", endpoint_parameter="/demo"),
    ),
    default_model="demo",
)
VARIABLES = (
    API.variables()
    | ReconcilerEnvironment(
        **API.model_dump(include=set(ReconcilerEnvironment.model_fields)), stage="dev"
    ).variables()
    | WebhookEnvironment(**API.model_dump(include=set(WebhookEnvironment.model_fields))).variables()
    | {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle")
    assert _SourceBundle().try_bundle(str(path))
    return path


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("layer")
    for name in LAYER:
        source = _source_of(name)
        (path / source.name).symlink_to(source)
    return path


def run(code: str, *paths: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-B", "-c", code],
        cwd="/",
        env={"PYTHONPATH": os.pathsep.join(map(str, paths)), **VARIABLES},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["http", "completion", "reconciler", "webhook"])
def test_each_handler_can_be_imported(bundle: Path, layer: Path, name: str) -> None:
    code = f"import jobs.{name}_handler as module; print(module.handler, module.__file__)"
    assert str(bundle / "jobs" / f"{name}_handler.py") in run(code, bundle, layer)


def test_importing_the_http_handler_creates_its_clients_and_no_model_of_the_openapi_document(
    bundle: Path, layer: Path
) -> None:
    code = (
        "import json, sys, jobs.http_handler; from jobs import wiring; "
        "print(json.dumps([wiring.job_service.cache_info().currsize, sorted(sys.modules)]))"
    )
    services, modules = json.loads(run(code, bundle, layer))
    assert services == 1
    assert "botocore" in modules
    heavy = ("aws_lambda_powertools.event_handler", "boto3", "httpcore2", "jobs.http.openapi")
    assert [name for name in modules if name.startswith(heavy)] == []


@pytest.mark.parametrize("region", ["eu-central-1", "cn-north-1", "us-gov-west-1"])
def test_a_client_of_each_service_has_the_address_of_the_complete_library(
    bundle: Path, layer: Path, region: str
) -> None:
    code = (
        "import botocore.session; session = botocore.session.get_session(); "
        f"[print(session.create_client(each, region_name={region!r}).meta.endpoint_url)"
        f" for each in {AWS_SERVICES!r}]"
    )
    installed = _source_of("botocore").parent
    assert run(code, bundle, layer) == run(code, installed)


def test_the_bundled_clients_accept_the_parameters_that_the_functions_send(bundle: Path, layer: Path) -> None:
    code = (
        "import botocore.session; session = botocore.session.get_session(); "
        "model = session.get_service_model('sagemaker-runtime').operation_model('InvokeEndpointAsync'); "
        "print(*model.input_shape.members)"
    )
    assert {"Body", "Filename", "InferenceId", "InputLocation"} <= {*run(code, bundle, layer).split()}


@pytest.mark.parametrize("service", _OPERATIONS)
def test_the_operations_of_large_services_are_those_that_the_functions_call(
    bundle: Path, layer: Path, service: str
) -> None:
    sources = "".join(path.read_text() for path in (ROOT / "lambda").rglob("*.py"))
    called = re.findall(rf"\b_{service}\.([a-z_]+)\(", sources)
    assert {xform_name(name) for name in _OPERATIONS[service]} == {*called}
    code = (
        "import botocore.session; session = botocore.session.get_session(); "
        f"model = session.get_service_model({service!r}); "
        "[print(name, [(shape.name, sorted(shape.members)) for shape in "
        "(each.input_shape, each.output_shape, *each.error_shapes)]) "
        f"for name in {_OPERATIONS[service]!r} if (each := model.operation_model(name))]"
    )
    assert run(code, bundle, layer) == run(code, _source_of("botocore").parent)


def test_the_bundle_has_no_other_services_and_no_documentation(bundle: Path) -> None:
    data = bundle / "botocore" / "data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == {*AWS_SERVICES}
    for path in data.rglob("service-2.json"):
        assert '"documentation":"<' not in path.read_text()
    files = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    assert {"jobs/http_handler.py", "contract/request.py", "docs/openapi.json"} <= files
    assert not any(file.startswith(("inference/", "boto3/", "s3transfer/")) for file in files)


def test_the_bundle_is_reproducible(bundle: Path, tmp_path: Path) -> None:
    _SourceBundle().try_bundle(str(tmp_path))
    contents = [
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (bundle, tmp_path)
    ]
    assert contents[0] == contents[1]
