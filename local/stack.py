"""Everything together: the emulated cloud, the deployed templates, the one address."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from contract import keys
from local.aws import LocalAws
from local.deployment import Deployer, read_assembly
from local.emulator import Emulation, StartError
from local.gateway import create_gateway
from local.web_server import WebServer, listen

ROOT = Path(__file__).parents[1]
_STAGE = "dev"
_MODEL = ROOT / "inference" / "demo_model"
_ADAPTERS = {
    keys.LORAS_PREFIX: ROOT / "inference" / "demo_loras",
    keys.CONTROLNETS_PREFIX: ROOT / "inference" / "demo_controlnets",
}

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Address:
    """How clients reach a running local stack.

    Attributes:
        api_url: `/v1/...` answers under it.
        api_key: for the header `x-api-key`.
        data_bucket: input images go under its `inputs/`.
        aws_endpoint_url: of the emulated cloud, for the AWS CLI and boto3.
    """

    api_url: str
    api_key: str
    data_bucket: str
    aws_endpoint_url: str


class LocalStack:
    """A running local stack. Start it with `start`; `stop` leaves no process and no port behind."""

    def __init__(self, address: Address, emulation: Emulation, cleanup: ExitStack) -> None:
        self.address = address
        self.aws = emulation.aws
        self._emulation = emulation
        self._cleanup = cleanup

    @classmethod
    def start(cls, *, port: int, directory: Path, report: Report, enforce_iam: bool = False) -> "LocalStack":
        """Starts everything, deploys the templates and waits until the endpoints are in service.

        Args:
            port: of the one address; 0 takes any free one.
            directory: for the templates, the models, the logs and `endpoint.json`.
            report: hears what is going on.
            enforce_iam: functions and containers may do what the templates' roles allow, and nothing else.

        Raises:
            PortTakenError: somebody else listens on the port.
            StartError, DeploymentError, ProcessEndedError, ContainerError: what did not start, and why.
        """
        with ExitStack() as cleanup:
            front = cleanup.enter_context(listen(port))
            report("starting the emulated cloud")
            emulation = Emulation(directory, enforce_iam=enforce_iam)
            cleanup.callback(emulation.stop)
            assembly = directory / "cdk.out"
            report("synthesizing the templates")
            _synthesize(assembly)
            emulation.wait()
            aws = emulation.aws
            outputs = _deploy(aws, assembly, report)

            report("loading the model")
            emulation.sagemaker.wait_in_service()
            key = aws.client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)
            gateway = WebServer(create_gateway(stage_url(aws, outputs["ApiUrl"]), aws.ssl_context()), front)
            cleanup.callback(gateway.stop)
            address = Address(
                api_url=gateway.url,
                api_key=key["value"],
                data_bucket=outputs["DataBucketName"],
                aws_endpoint_url=aws.url,
            )
            note = directory / "endpoint.json"
            note.write_text(json.dumps(asdict(address), indent=2) + "\n")
            cleanup.callback(note.unlink, missing_ok=True)
            return cls(address, emulation, cleanup.pop_all())

    def check(self) -> None:
        """Makes sure that everything still runs.

        Raises:
            ProcessEndedError: something has ended.
        """
        self._emulation.check()

    def stop(self) -> None:
        """Ends everything."""
        self._cleanup.close()


def _synthesize(assembly: Path) -> None:
    """Runs app.py. Its templates are checked by the built-in validator in `make synth`, not here."""
    environment = os.environ | {
        "CDK_OUTDIR": str(assembly),
        "CDK_CONTEXT_JSON": json.dumps({"stage": _STAGE}),
        "CDK_VALIDATION": "false",
    }
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StartError(f"the templates could not be synthesized:\n{done.stderr}")


def _deploy(aws: LocalAws, assembly: Path, report: Report) -> dict[str, str]:
    deployer = Deployer(aws, assembly)
    deployer.bootstrap()
    outputs: dict[str, str] = {}
    for stack in read_assembly(assembly):
        report(f"deploying {stack.name}")
        created = deployer.deploy(stack)
        if "ModelsBucketName" in created:
            upload_models(aws, created["ModelsBucketName"])
        outputs |= created
    return outputs


def upload_models(aws: LocalAws, bucket: str) -> None:
    """Puts the demo model where the stage's models are looked for, whatever their names, and its adapters."""
    stages = json.loads((ROOT / "cdk.json").read_text())["context"]["stages"]
    served = [each for model in stages[_STAGE]["models"] for each in (model, *model.get("companions", ()))]
    s3 = aws.client("s3")
    for prefix, directory in {**{f"{each['name']}/": _MODEL for each in served}, **_ADAPTERS}.items():
        for path in directory.rglob("*"):
            if path.is_file():
                s3.upload_file(str(path), bucket, f"{prefix}{path.relative_to(directory).as_posix()}")


def stage_url(aws: LocalAws, api_url: str) -> str:
    """Where MiniStack serves the stage that AWS would serve at `https://{id}.execute-api.../{stage}/`."""
    parts = urlsplit(api_url)
    api_id = str(parts.hostname).partition(".")[0]
    return f"{aws.url}/restapis/{api_id}/{parts.path.strip('/')}/_user_request_"
