"""The local stack: the emulated services, the deployed templates, and the gateway to the API and the page."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from contract import keys
from local.address import Address, exclusive, published_address
from local.aws import ACCOUNT, REGION, LocalAws
from local.deployment import Deployer, read_assembly
from local.emulator import Emulator, Parts, StartError
from local.page import HOSTS, is_built, page_routes
from local.proxy import create_proxy
from local.web_server import WebServer, listen

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "web" / "dist"
"""The directory of the built page."""

_STAGE = "dev"
_MODEL = ROOT / "inference" / "demo_model"
_ADAPTERS = {
    keys.LORAS_PREFIX: ROOT / "inference" / "demo_loras",
    keys.CONTROLNETS_PREFIX: ROOT / "inference" / "demo_controlnets",
}

Report = Callable[[str], None]

_PARTS = Parts()
_NO_SETTINGS: Mapping[str, Any] = MappingProxyType({})


class LocalStack:
    """A running local stack. `stop` ends all its processes and closes its ports."""

    def __init__(self, address: Address, emulator: Emulator, cleanup: ExitStack) -> None:
        self.address = address
        self.aws = emulator.aws
        self._emulator = emulator
        self._cleanup = cleanup

    @classmethod
    def start(
        cls,
        *,
        port: int,
        directory: Path,
        report: Report,
        enforce_iam: bool = False,
        parts: Parts = _PARTS,
        model_settings: Mapping[str, Any] = _NO_SETTINGS,
        page: Path = PAGE,
    ) -> "LocalStack":
        """Starts all processes, deploys the templates and waits until the endpoints are in service.

        Args:
            port: of the API; 0 selects an unused one.
            directory: for the templates, the models, the logs and `endpoint.json`.
            report: called with a line of progress at each step.
            enforce_iam: the functions and containers have the permissions of their roles only.
            parts: the programs of the emulated services.
            model_settings: settings of the stage's first model that differ from those in cdk.json.
            page: the directory of the built page.

        Raises:
            AlreadyRunningError: another process runs a stack in the directory.
            PortTakenError: the port is in use.
            StartError, DeploymentError, ProcessEndedError, ContainerError: a part failed to start.
        """
        with ExitStack() as cleanup:
            cleanup.enter_context(exclusive(directory))
            socket = cleanup.enter_context(listen(port))
            report("starting the emulated AWS services")
            emulator = Emulator(directory, enforce_iam=enforce_iam, parts=parts)
            cleanup.callback(emulator.stop)
            assembly = directory / "cdk.out"
            report("synthesizing the templates")
            _synthesize(assembly, model_settings, port=socket.getsockname()[1])
            emulator.wait()
            aws = emulator.aws
            outputs = _deploy(aws, assembly, report)

            report("loading the model")
            emulator.sagemaker.wait_in_service()
            key = aws.client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)
            routes = page_routes(page, api_key=key["value"], storage_origin=aws.url)
            gateway = create_proxy(stage_url(aws, outputs["ApiUrl"]), aws.ssl_context(), own_routes=routes)
            proxy = WebServer(gateway, socket)
            cleanup.callback(proxy.stop)
            address = Address(
                api_url=proxy.url,
                api_key=key["value"],
                data_bucket=outputs["DataBucketName"],
                aws_endpoint_url=aws.url,
            )
            cleanup.enter_context(published_address(directory, address))
            return cls(address, emulator, cleanup.pop_all())

    def check(self) -> None:
        """Checks that all processes are running.

        Raises:
            ProcessEndedError, ContainerError: one has ended and could not be replaced.
        """
        self._emulator.check()

    def kill_containers(self) -> None:
        """Kills the servers of all endpoints; new ones replace them."""
        self._emulator.sagemaker.kill_containers()

    def stop(self) -> None:
        """Stops all processes and deletes `endpoint.json`."""
        self._cleanup.close()


def _synthesize(assembly: Path, model_settings: Mapping[str, Any], *, port: int) -> None:
    """Runs app.py, without the validation of the templates, which `make synth` includes.

    A stage that belongs to another account and region is deployed to the emulated ones. The page is that of
    the gateway at `port`, which S3 has to allow as it allows CloudFront's. It is left out if it is not built.
    """
    stage = _stage_settings()
    stage["models"][0] |= model_settings
    origins = [f"http://{host}:{port}" for host in HOSTS]
    api = stage.setdefault("api", {})
    api["allowed_origins"] = [*api.get("allowed_origins", ()), *origins]
    if not is_built(PAGE):
        stage["web"] = None
    if "environment" in stage:
        stage["environment"] = {"account": ACCOUNT, "region": REGION}
    environment = os.environ | {
        "CDK_OUTDIR": str(assembly),
        "CDK_CONTEXT_JSON": json.dumps({"stage": _STAGE, "stages": {_STAGE: stage}}),
        "CDK_VALIDATION": "false",
    }
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StartError(f"the templates could not be synthesized:\n{done.stderr}")


def _deploy(aws: LocalAws, assembly: Path, report: Report) -> dict[str, str]:
    """Deploys every stack, uploads the models as soon as their bucket exists, and returns all outputs."""
    deployer = Deployer(aws, assembly)
    stacks = read_assembly(assembly)
    deployer.bootstrap(stacks)
    outputs: dict[str, str] = {}
    for number, stack in enumerate(stacks, 1):
        report(f"deploying {stack.name} ({number} of {len(stacks)})")
        created = deployer.deploy(stack)
        if "ModelsBucketName" in created:
            upload_models(aws, created["ModelsBucketName"])
        outputs |= created
    return outputs


def upload_models(aws: LocalAws, bucket: str, *, models: Sequence[str] | None = None) -> None:
    """Uploads the demo adapters, and the demo model under the names of models, by default the stage's."""
    s3 = aws.client("s3")
    names = _names_of_models() if models is None else models
    for prefix, directory in {**{f"{name}/": _MODEL for name in names}, **_ADAPTERS}.items():
        for path in directory.rglob("*"):
            if path.is_file():
                s3.upload_file(str(path), bucket, f"{prefix}{path.relative_to(directory).as_posix()}")


def _names_of_models() -> list[str]:
    models = _stage_settings()["models"]
    return [each["name"] for model in models for each in (model, *model.get("companions", ()))]


def _stage_settings() -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]["stages"][_STAGE]
    return settings


def stage_url(aws: LocalAws, api_url: str) -> str:
    """MiniStack's URL of the stage whose URL in AWS is `https://{id}.execute-api.../{stage}`."""
    parts = urlsplit(api_url)
    api_id = str(parts.hostname).partition(".")[0]
    return f"{aws.url}/restapis/{api_id}{parts.path}/_user_request_"
