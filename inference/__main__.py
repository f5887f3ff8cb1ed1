"""The container's entry point: `python -m inference`."""

import logging
import os
from pathlib import Path

import boto3
import uvicorn

from inference.contract.environment import ContainerEnvironment
from inference.invocation import InvocationHandler, Threads
from inference.server import create_app
from inference.storage import DataBucket

_DRAIN_S = 25  # SageMaker kills the container 30 s after asking it to stop


def main() -> None:
    """Serves until it is told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    environment = ContainerEnvironment.read(os.environ)

    def load() -> InvocationHandler:
        from inference.diffusers_engine import DiffusersEngine  # takes seconds: /ping must not wait for it

        return InvocationHandler(
            engine=DiffusersEngine.load(Path(environment.model_directory)),
            bucket=DataBucket(boto3.client("s3"), environment.data_bucket_name),
            environment=environment,
            threads=Threads.start(),
        )

    uvicorn.run(
        create_app(load),
        host=environment.bind_host,
        port=environment.sagemaker_bind_to_port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=_DRAIN_S,
    )


if __name__ == "__main__":
    main()
