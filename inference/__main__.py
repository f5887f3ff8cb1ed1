"""The container's entry point: `python -m inference`."""

import os

import boto3

from inference.contract.environment import ContainerEnvironment
from inference.draining import DrainingServer
from inference.invocation import InvocationHandler
from inference.logs import start_logging
from inference.running import RunningJobs
from inference.server import create_app
from inference.storage import DataBucket
from inference.telemetry import Telemetry
from inference.wiring import load_handler

_VERBOSITY = {"DIFFUSERS_VERBOSITY": "error", "TRANSFORMERS_VERBOSITY": "error"}
"""Read by the libraries when they are imported, which is when they begin to warn."""


def main() -> None:
    """Serves until it is told to stop."""
    start_logging()
    os.environ.update(_VERBOSITY)
    environment = ContainerEnvironment.read(os.environ)
    telemetry = Telemetry(stage=environment.stage, model=environment.model.name)
    running = RunningJobs()

    def load() -> InvocationHandler:
        s3 = boto3.client("s3")
        return load_handler(
            environment,
            s3=s3,
            bucket=DataBucket(s3, environment.data_bucket_name),
            telemetry=telemetry,
            running=running,
        )

    DrainingServer(
        create_app(load),
        running,
        host=environment.bind_host,
        port=environment.sagemaker_bind_to_port,
        drain_s=environment.drain_s,
    ).run()


if __name__ == "__main__":
    main()
