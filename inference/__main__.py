"""The container's entry point: `python -m inference`."""

import os
import sys

from contract.environment import ContainerEnvironment
from inference.data_bucket import DataBucket, create_s3_client
from inference.input.public_fetcher import PublicFetcher
from inference.invocation.handler import InvocationHandler
from inference.invocation.running_jobs import RunningJobs
from inference.observability.logs import start_logging
from inference.observability.metrics import ContainerMetrics
from inference.server.app import create_app
from inference.server.graceful_shutdown import GracefulShutdownServer
from inference.wiring import load_handler

_SWITCH_INTERVAL_S = 30e-6
"""A thread that wants the interpreter asks for it after this time. The engine thread gives it away at every
operation of the UNet: with Python's default, 5 ms, one busy thread made a forward pass 366 times slower, now
5 times. Shorter intervals gain little and cost the other threads more (`python -m bench.neighbours`)."""

_VERBOSITY = {"DIFFUSERS_VERBOSITY": "error", "TRANSFORMERS_VERBOSITY": "error"}
"""The libraries read these variables, and may log warnings, as soon as they are imported."""


def main(fetcher: PublicFetcher | None = None) -> None:
    """Serves until a signal stops the process.

    Args:
        fetcher: see `load_handler`.
    """
    start_logging()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    os.environ.update(_VERBOSITY)
    environment = ContainerEnvironment.read(os.environ)
    metrics = ContainerMetrics(stage=environment.stage, model=environment.model.name)
    running_jobs = RunningJobs()

    def load() -> InvocationHandler:
        s3 = create_s3_client()
        return load_handler(
            environment,
            s3=s3,
            bucket=DataBucket(s3, environment.data_bucket_name),
            metrics=metrics,
            running_jobs=running_jobs,
            fetcher=fetcher,
        )

    GracefulShutdownServer(
        create_app(load),
        running_jobs,
        host=environment.bind_host,
        port=environment.sagemaker_bind_to_port,
        drain_s=environment.drain_s,
    ).run()


if __name__ == "__main__":
    main()
