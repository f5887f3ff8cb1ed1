"""Life cycles of stages with the CDK CLI: deployed, changed and destroyed without leftovers."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx
import psutil
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from contract.problem import CONTENT_TYPE
from local.aws import ACCOUNT, REGION, LocalAws
from local.emulator import Emulator
from local.stack import stage_url, upload_models
from tests.conftest import ROOT
from tests.e2e.client import finish, resources, submit
from tests.waiting import wait_until

_CLI = ROOT / ".venv" / "node" / "node_modules" / ".bin" / "cdk"
_SYNTHESIZED = ("--app", "cdk.out")
"""Uses the templates that an earlier command has synthesized."""

_SOURCES = ("app.py", ".dockerignore", "contract", "guarded_http", "inference", "infra", "lambda")
_QUALIFIER = "@aws-cdk/core:bootstrapQualifier"
_PREFIX = "StableDiffusion"


class Project:
    """A copy of the application in a directory of its own, with the stages that are given."""

    def __init__(
        self,
        directory: Path,
        aws: LocalAws,
        *,
        stages: dict[str, dict[str, Any]] | None = None,
        context: dict[str, str] | None = None,
    ) -> None:
        self._directory = directory
        self._aws = aws
        self._settings = json.loads((ROOT / "cdk.json").read_text())
        self._settings["app"] = f"{sys.executable} app.py"
        self._settings["context"] |= context or {}
        self._settings["context"]["stages"] = {
            name: {**settings, "web": None}  # MiniStack cannot deploy the page: local.deployment
            for name, settings in (stages or self._settings["context"]["stages"]).items()
        }
        ignored = shutil.ignore_patterns("__pycache__", "demo_*")
        for name in _SOURCES:
            source, copy = ROOT / name, directory / name
            directory.mkdir(exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=ignored)
            else:
                shutil.copyfile(source, copy)
        (directory / "docs").mkdir()
        shutil.copyfile(ROOT / "docs" / "openapi.json", directory / "docs" / "openapi.json")
        self._write_settings()

    def change_model(self, changes: dict[str, Any], stage: str = "dev") -> None:
        """Changes settings of a stage's first model in cdk.json."""
        self._settings["context"]["stages"][stage]["models"][0].update(changes)
        self._write_settings()

    def change_image(self, content: str | None) -> None:
        """Writes a file that is a part of the image, or removes it."""
        path = self._directory / "inference" / "release.txt"
        if content is None:
            path.unlink()
        else:
            path.write_text(content)

    def deploy(self, *stacks: str, stage: str = "dev", synthesize: bool = False) -> None:
        """Deploys stacks, all by default, from new templates or from those of an earlier command."""
        source = ("--context", f"stage={stage}") if synthesize else _SYNTHESIZED
        self.cdk("deploy", *(stacks or ["--all"]), "--require-approval", "never", *source)

    def cdk(self, *arguments: str, status: int = 0) -> str:
        """Runs the CLI, which can connect to the emulated services only, and returns its output."""
        environment = self._aws.environment() | {
            "HOME": str(self._directory),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "true",
            "CDK_VALIDATION": "false",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        }
        done = subprocess.run(
            [_CLI, *arguments, "--no-notices", "--ci"],
            cwd=self._directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == status, done.stdout
        return done.stdout

    def outputs(self, stack: str, *, stage: str = "dev") -> dict[str, str]:
        """The outputs of a stack, by its name without the prefix of the stage."""
        (described,) = self._aws.client("cloudformation").describe_stacks(
            StackName=f"{_PREFIX}-{stage}-{stack}"
        )["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}

    def image(self, *, stage: str = "dev", model: str = "demo") -> Any:
        """The image of a model's endpoint in the synthesized template."""
        template = self._directory / "cdk.out" / f"{_PREFIX}-{stage}-Endpoint-{model}.template.json"
        resources = json.loads(template.read_text())["Resources"].values()
        (found,) = (each for each in resources if each["Type"] == "AWS::SageMaker::Model")
        return found["Properties"]["PrimaryContainer"]["Image"]

    def _write_settings(self) -> None:
        (self._directory / "cdk.json").write_text(json.dumps(self._settings))


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path / "local")
    emulator.wait()
    yield emulator
    emulator.stop()


_LISTS = {
    "apigateway": ("get_rest_apis", "get_api_keys", "get_usage_plans"),
    "cloudformation": ("describe_stacks",),
    "cloudwatch": ("describe_alarms", "list_dashboards"),
    "codebuild": ("list_projects",),
    "dynamodb": ("list_tables",),
    "ec2": ("describe_security_groups", "describe_subnets", "describe_vpc_endpoints", "describe_vpcs"),
    "ecr": ("describe_repositories",),
    "iam": ("list_roles", "list_policies"),
    "kms": ("list_aliases",),
    "lambda": ("list_functions", "list_event_source_mappings"),
    "s3": ("list_buckets",),
    "secretsmanager": ("list_secrets",),
    "sns": ("list_topics", "list_subscriptions"),
    "sqs": ("list_queues",),
    "ssm": ("describe_parameters",),
}
"""Everything but log groups, which outlive their stacks."""

_NAMES = ("Arn", "AlarmName", "AliasName", "DashboardName", "FunctionName", "GroupId", "SubnetId")
_NAMES += ("VpcEndpointId", "VpcId", "ARN", "Name", "StackName", "SubscriptionArn", "TopicArn")
_NAMES += ("UUID", "id", "repositoryName")


def inventory(aws: LocalAws) -> set[str]:
    """All resources in the account, and the containers of the endpoints."""
    found = set()
    for service, operations in _LISTS.items():
        client = aws.client(service)
        for operation in operations:
            response = getattr(client, operation)()
            response.pop("ResponseMetadata")
            for listed in response.values():
                for each in listed if isinstance(listed, list) else ():
                    name = each if isinstance(each, str) else next(each[n] for n in _NAMES if n in each)
                    found.add(f"{service} {operation} {name}")
    for process in psutil.Process(os.getpid()).children(recursive=True):
        if process.cmdline()[1:] == ["-m", "inference"]:
            found.add(f"container {process.pid}")
    return found


def waiting_messages(aws: LocalAws) -> int:
    """The messages in all queues, those that are being processed included.

    A function that still processes one while its stack is deleted logs afterwards, and MiniStack creates the
    log group again.
    """
    sqs = aws.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(
        int(count)
        for url in sqs.list_queues().get("QueueUrls", ())
        for count in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()
    )


class Signed(httpx.Auth):
    """Requests signed by the account's root user, as `api.auth` of type `iam` requires."""

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        session = boto3.Session("test", "test", region_name=REGION)
        signed = AWSRequest(
            method=request.method,
            url=str(request.url),
            data=request.content,
            headers={"host": request.url.netloc.decode()},
        )
        SigV4Auth(session.get_credentials(), "execute-api", REGION).add_auth(signed)
        request.headers.update(dict(signed.headers))
        yield request


@pytest.mark.timeout(1200)
def test_the_cdk_deploys_changes_and_destroys_the_application(emulator: Emulator, tmp_path: Path) -> None:
    aws = emulator.aws
    project = Project(tmp_path / "project", aws)
    project.cdk("synth", "--all", "--quiet")
    project.cdk("bootstrap", *_SYNTHESIZED)
    empty = inventory(aws)

    project.deploy(f"{_PREFIX}-dev-Storage")
    upload_models(aws, project.outputs("Storage")["ModelsBucketName"])
    project.deploy()
    project.cdk("diff", "--all", "--fail", *_SYNTHESIZED)
    outputs = project.outputs("Api")
    endpoint, image = project.outputs("Endpoint-demo")["EndpointName"], project.image()
    key = aws.client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]
    with httpx.Client(
        base_url=stage_url(aws, outputs["ApiUrl"]), headers={"x-api-key": key}, timeout=60
    ) as http:
        too_many = {"prompt": "a red circle", "count": 3, "steps": 1}
        assert finish(http, submit(http, **too_many))["status"] == "succeeded"

        project.change_model({"limits": {"max_size": 256, "max_count": 2}, "scaling": {"max_instances": 2}})
        project.change_image("B")
        project.cdk("diff", "--all", "--fail", status=1)
        project.deploy()
        assert project.image() != image
        refused = http.post("/v1/jobs", json=too_many)
        assert refused.status_code == 422, refused.text
        assert [each["pointer"] for each in refused.json()["errors"]] == ["#/count"]
        (model,) = http.get("/v1/models").json()["data"]
        assert (model["limits"]["max_size"], model["limits"]["max_count"]) == (256, 2)
        assert finish(http, submit(http, count=2, steps=1))["status"] == "succeeded"

        project.change_image(None)
        project.change_model({"instance_types": ["ml.g5.xlarge"]})
        project.deploy(synthesize=True)
        assert project.image() == image
        assert project.outputs("Endpoint-demo")["EndpointName"] != endpoint
        assert finish(http, submit(http, steps=1))["status"] == "succeeded"

        project.change_model({"instance_types": ["ml.g4dn.xlarge"]})
        project.deploy(synthesize=True)
        assert project.outputs("Endpoint-demo")["EndpointName"] == endpoint
        assert finish(http, submit(http, steps=1))["status"] == "succeeded"

    assert len(inventory(aws)) > len(empty) + 20
    wait_until(lambda: not waiting_messages(aws), "the queues are empty")
    project.cdk("destroy", "--all", "--force", *_SYNTHESIZED)
    assert inventory(aws) == empty


_ISOLATED: dict[str, Any] = {
    "environment": {"account": ACCOUNT, "region": REGION},
    "network": {"type": "isolated", "availability_zones": 3},
    "tags": {"team": "design"},
    "permissions_boundary": "teams/design",
    "customer_managed_key": True,
    "keep_data": False,
    "api": {"auth": {"type": "iam"}, "firewall_requests_per_5_minutes": 1000},
    "models": [
        {"name": "demo", "instance_types": ["ml.g4dn.xlarge"], "limits": {"max_size": 512}},
        {"name": "second", "instance_types": ["ml.g5.xlarge", "ml.g6.xlarge"], "limits": {"max_size": 512}},
    ],
}
"""Two models in an isolated network, behind a firewall and IAM."""


def cognito(user_pool_arn: str) -> dict[str, Any]:
    """A stage that serves one model with an image from a registry to the users of a pool."""
    return {
        "keep_data": False,
        "api": {"auth": {"type": "cognito", "user_pool_arn": user_pool_arn}},
        "image": {
            "source": "registry",
            "repository_arn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/inference",
            "digest": f"sha256:{'0' * 64}",
            "cuda": 12,
        },
        "models": [
            {"name": "demo", "instance_types": ["ml.g4dn.xlarge"], "limits": {"max_size": 512}},
        ],
    }


class Users:
    """A user pool with one user."""

    def __init__(self, aws: LocalAws) -> None:
        self._cognito = aws.client("cognito-idp")
        pool = self._cognito.create_user_pool(PoolName="users")["UserPool"]
        self.arn, self._id = pool["Arn"], pool["Id"]

    def token(self) -> str:
        """The id token of the user."""
        client = self._cognito.create_user_pool_client(
            UserPoolId=self._id, ClientName="tests", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
        )["UserPoolClient"]["ClientId"]
        password = f"aA1!{uuid4()}"
        self._cognito.admin_create_user(UserPoolId=self._id, Username="user", MessageAction="SUPPRESS")
        self._cognito.admin_set_user_password(
            UserPoolId=self._id, Username="user", Password=password, Permanent=True
        )
        token: str = self._cognito.admin_initiate_auth(
            UserPoolId=self._id,
            ClientId=client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "user", "PASSWORD": password},
        )["AuthenticationResult"]["IdToken"]
        return token


def problem_of(response: httpx.Response) -> tuple[int, str]:
    """The status and the code of a refusal."""
    assert response.headers["content-type"] == CONTENT_TYPE, response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["request_id"]
    return response.status_code, problem["code"]


def zones(aws: LocalAws) -> set[str]:
    """The availability zones of the deployed subnets."""
    ids = resources(aws, "AWS::EC2::Subnet")
    found = aws.client("ec2").describe_subnets(SubnetIds=ids)["Subnets"]
    return {each["AvailabilityZone"] for each in found}


def deploy_with_models(project: Project, aws: LocalAws, stage: str, *models: str) -> httpx.URL:
    """Deploys a stage from new templates, and returns the URL of its API."""
    project.cdk("synth", "--all", "--quiet", "--context", f"stage={stage}")
    project.deploy(f"{_PREFIX}-{stage}-Storage")
    upload_models(aws, project.outputs("Storage", stage=stage)["ModelsBucketName"], models=models)
    project.deploy()
    project.cdk("diff", "--all", "--fail", *_SYNTHESIZED)
    return httpx.URL(stage_url(aws, project.outputs("Api", stage=stage)["ApiUrl"]))


@pytest.mark.timeout(1200)
def test_every_variant_is_deployed_with_a_bootstrap_stack_of_its_own_and_destroyed(
    emulator: Emulator, tmp_path: Path
) -> None:
    aws = emulator.aws
    users = Users(aws)
    project = Project(
        tmp_path / "project",
        aws,
        stages={"isolated": _ISOLATED, "cognito": cognito(users.arn)},
        context={_QUALIFIER: "team1"},
    )
    project.cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--context", "stage=cognito")
    empty = inventory(aws)

    url = deploy_with_models(project, aws, "isolated", "demo", "second")
    assert zones(aws) == {f"{REGION}{zone}" for zone in "abc"}
    for path in ("/v1/jobs", "/nope"):
        assert problem_of(httpx.post(f"{url}{path}", json={})) == (403, "forbidden")
    with httpx.Client(base_url=url, auth=Signed(), timeout=60) as http:
        assert problem_of(http.get("/nope")) == (404, "route_not_found")
        for model in ("demo", "second"):
            assert finish(http, submit(http, model=model, steps=1))["status"] == "succeeded"
    wait_until(lambda: not waiting_messages(aws), "the queues are empty")
    project.cdk("destroy", "--all", "--force", *_SYNTHESIZED)
    assert inventory(aws) == empty

    url = deploy_with_models(project, aws, "cognito", "demo")
    for path in ("/v1/jobs", "/nope"):
        assert problem_of(httpx.post(f"{url}{path}", json={})) == (401, "unauthorized")
    with httpx.Client(base_url=url, headers={"Authorization": users.token()}, timeout=60) as http:
        assert problem_of(http.get("/nope")) == (404, "route_not_found")
        assert finish(http, submit(http, steps=1))["status"] == "succeeded"
    wait_until(lambda: not waiting_messages(aws), "the queues are empty")
    project.cdk("destroy", "--all", "--force", *_SYNTHESIZED)
    assert inventory(aws) == empty
