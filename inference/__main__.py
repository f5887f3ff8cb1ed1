"""The container's entry point: `python -m inference`."""

import os
import tempfile
from functools import partial
from pathlib import Path

import boto3
import uvicorn

from inference.compiled_code import StoredCode
from inference.contract.environment import ContainerEnvironment
from inference.engine import Engine
from inference.invocation import InvocationHandler
from inference.logs import ContextThreads, start_logging
from inference.model_library import ModelLibrary, with_checker_here
from inference.model_pool import ModelPool
from inference.output.finisher import Finisher
from inference.server import create_app
from inference.storage import DataBucket
from inference.telemetry import Telemetry
from inference.transfer import fetch_prefix

_DRAIN_S = 25  # SageMaker kills the container 30 s after asking it to stop
_FETCHED = Path(tempfile.gettempdir())
_VERBOSITY = {"DIFFUSERS_VERBOSITY": "error", "TRANSFORMERS_VERBOSITY": "error"}
"""Read by the libraries when they are imported, which is when they begin to warn."""


def main() -> None:
    """Serves until it is told to stop."""
    start_logging()
    os.environ.update(_VERBOSITY)
    environment = ContainerEnvironment.read(os.environ)
    telemetry = Telemetry(stage=environment.stage, model=environment.model.name)

    def load() -> InvocationHandler:
        s3 = boto3.client("s3")
        fetch = partial(fetch_prefix, s3)
        library = ModelLibrary(environment, _FETCHED / "models", fetch_prefix=fetch)

        def load_model(name: str) -> Engine:
            with telemetry.loading(name):
                from inference.denoising.loading import load_engine  # takes seconds: /ping must not wait

                code = StoredCode(s3, environment.data_bucket_name, name)
                return load_engine(
                    library.path(name),
                    max_bucket=environment.max_bucket,
                    strict_bucket=environment.strict_bucket,
                    code=code if environment.compile else None,
                )

        checked = with_checker_here(environment, _FETCHED / "safety_checker", fetch_prefix=fetch)
        finisher = Finisher.load(checked, library.path(environment.model.name))
        return InvocationHandler(
            engine=ModelPool(load_model, first=environment.model.name),
            finisher=finisher,
            bucket=DataBucket(s3, environment.data_bucket_name),
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


if __name__ == "__main__":
    main()
