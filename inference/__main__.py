"""The container's entry point: `python -m inference`."""

import os
import tempfile
from pathlib import Path

import boto3
import uvicorn

from inference.adapters import AdapterStore
from inference.contract.environment import ContainerEnvironment
from inference.hub import fetch_model
from inference.hub_token import read_token
from inference.invocation import InvocationHandler
from inference.logs import ContextThreads, start_logging
from inference.server import create_app
from inference.storage import DataBucket
from inference.telemetry import Telemetry

_DRAIN_S = 25  # SageMaker kills the container 30 s after asking it to stop
_ADAPTER_BYTES = 10 << 30  # of the disk
_VERBOSITY = {"DIFFUSERS_VERBOSITY": "error", "TRANSFORMERS_VERBOSITY": "error"}
"""Read by the libraries when they are imported, which is when they begin to warn."""


def main() -> None:
    """Serves until it is told to stop."""
    start_logging()
    os.environ.update(_VERBOSITY)
    environment = ContainerEnvironment.read(os.environ)
    telemetry = Telemetry(stage=environment.stage, model=environment.model.name)

    def load() -> InvocationHandler:
        with telemetry.loading():
            from inference.denoising.loading import load_engine  # takes seconds: /ping must not wait

            s3 = boto3.client("s3")
            return InvocationHandler(
                engine=load_engine(
                    _model_directory(environment),
                    max_bucket=environment.max_bucket,
                    strict_bucket=environment.strict_bucket,
                ),
                bucket=DataBucket(s3, environment.data_bucket_name),
                adapters=AdapterStore(
                    s3,
                    environment.models_bucket_name,
                    Path(tempfile.gettempdir(), "adapters"),
                    max_bytes=_ADAPTER_BYTES,
                ),
                environment=environment,
                transfers=ContextThreads(max_workers=4, thread_name_prefix="transfer"),
                telemetry=telemetry,
            )

    uvicorn.run(
        create_app(load),
        host=environment.bind_host,
        port=environment.sagemaker_bind_to_port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=_DRAIN_S,
    )


def _model_directory(environment: ContainerEnvironment) -> Path:
    """Where the model's files are; they are fetched first if they come from the hub."""
    source = environment.model_source
    if source is None:
        return Path(environment.model_directory)
    token = read_token(source.token_secret_arn) if source.token_secret_arn else None
    return fetch_model(source, Path(tempfile.gettempdir(), "models"), token=token)


if __name__ == "__main__":
    main()
