"""The one place where the container's parts meet."""

import tempfile
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from contract.environment import ContainerEnvironment
from inference.artifacts.adapter_store import AdapterStore
from inference.artifacts.compile_cache import S3CompileCache
from inference.artifacts.model_store import ModelStore, with_checker_here
from inference.data_bucket import DataBucket
from inference.engine.interface import Engine
from inference.engine.model_pool import ModelPool
from inference.input.image_sources import ImageSources
from inference.input.preprocessing import InputPreprocessor
from inference.input.public_fetcher import PublicFetcher
from inference.invocation.generator import ImageGenerator
from inference.invocation.handler import InvocationHandler
from inference.invocation.multi_pass import MultiPassGenerator
from inference.invocation.running_jobs import RunningJobs
from inference.invocation.upscalers import UpscalerResolver
from inference.observability.logs import ContextThreads
from inference.observability.metrics import ContainerMetrics
from inference.output.postprocessing import Postprocessor
from inference.transfer.s3 import fetch_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FETCHED = Path(tempfile.gettempdir())
_ADAPTER_BYTES = 10 << 30
"""Of the disk."""

_TRANSFERS = 8
"""Threads: some of them may wait for a slow host."""


def load_handler(
    environment: ContainerEnvironment,
    *,
    s3: "S3Client",
    bucket: DataBucket,
    telemetry: ContainerMetrics,
    running: RunningJobs,
) -> InvocationHandler:
    """What serves invocations, with the environment's model loaded; takes as long as that does.

    Args:
        environment: what the container is told.
        s3: for models, adapters and compiled code.
        bucket: where images come from and go to.
        telemetry: hears of jobs, and how long loading takes.
        running: what admits jobs, and ends them before their time.
    """
    fetch = partial(fetch_prefix, s3)
    library = ModelStore(environment, _FETCHED / "models", fetch_prefix=fetch)

    def load_model(name: str) -> Engine:
        with telemetry.loading(name):
            from inference.diffusion.loader import load_engine  # takes seconds: /ping must not wait

            cache = S3CompileCache(s3, environment.data_bucket_name, name)
            return load_engine(
                library.path(name),
                max_batch_size=environment.max_batch_size,
                fixed_batch_size=environment.fixed_batch_size,
                compile_cache=cache if environment.compile else None,
            )

    checked = with_checker_here(environment, _FETCHED / "safety_checker", fetch_prefix=fetch)
    finisher = Postprocessor.load(checked, library.path(environment.model.name))
    gib = environment.model_memory_gib
    engine = ModelPool(
        load_model,
        first=environment.model.name,
        weigh=library.weight_bytes,
        budget_bytes=None if gib is None else int(gib * 2**30),
    )
    transfers = ContextThreads(max_workers=_TRANSFERS, thread_name_prefix="transfer")
    return InvocationHandler(
        engine=engine,
        studio=create_image_generator(
            engine,
            environment=environment,
            bucket=bucket,
            adapters=AdapterStore(
                s3, environment.models_bucket_name, _FETCHED / "adapters", max_bytes=_ADAPTER_BYTES
            ),
            transfers=transfers,
        ),
        finisher=finisher,
        bucket=bucket,
        environment=environment,
        transfers=transfers,
        telemetry=telemetry,
        running=running,
        revision_of=library.revision,
    )


def create_image_generator(
    engine: Engine,
    *,
    environment: ContainerEnvironment,
    bucket: DataBucket,
    adapters: AdapterStore,
    transfers: Executor,
    web: PublicFetcher | None = None,
) -> ImageGenerator:
    """What draws with the engine; `web` is where else pictures may come from, by default the public one."""
    sources = ImageSources(bucket, web or PublicFetcher(), max_bytes=environment.max_input_image_bytes)
    return ImageGenerator(
        preparation=InputPreprocessor(sources=sources, environment=environment, transfers=transfers),
        adapters=adapters,
        passes=MultiPassGenerator(
            engine,
            UpscalerResolver(engine, adapters.fetch_upscaler, transfers=transfers),
            max_output_sizes={
                name: model.limits.max_output_size for name, model in environment.served.items()
            },
        ),
        transfers=transfers,
        quotes_prompts=environment.log_prompts,
    )
