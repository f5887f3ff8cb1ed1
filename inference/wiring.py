"""Composition root: creates the container's objects and connects them."""

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from contract.environment import ContainerEnvironment
from inference.artifacts.adapter_store import AdapterStore
from inference.artifacts.compile_cache import S3CompileCache
from inference.artifacts.model_store import ModelStore, with_local_safety_checker
from inference.data_bucket import DataBucket
from inference.engine.interface import Engine
from inference.engine.model_pool import ModelPool
from inference.input.image_sources import ImageSources
from inference.input.preprocessing import InputPreprocessor, delete_leftovers
from inference.input.public_fetcher import PublicFetcher
from inference.invocation.executors import Executors
from inference.invocation.generator import ImageGenerator
from inference.invocation.handler import InvocationHandler
from inference.invocation.multi_pass import MultiPassGenerator
from inference.invocation.running_jobs import RunningJobs
from inference.invocation.upscalers import UpscalerResolver
from inference.observability.metrics import ContainerMetrics
from inference.output.postprocessing import Postprocessor
from inference.transfer.s3 import fetch_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ADAPTER_CACHE_BYTES = 10 << 30
"""On disk."""


def load_handler(
    environment: ContainerEnvironment,
    *,
    s3: "S3Client",
    bucket: DataBucket,
    metrics: ContainerMetrics,
    running_jobs: RunningJobs,
    fetcher: PublicFetcher | None = None,
) -> InvocationHandler:
    """Checks the device, creates the invocation handler and loads the first model; blocks for minutes.

    Deletes the temporary files of a container that was killed.

    Args:
        environment: the container's settings.
        s3: client for models, adapters and the compile cache.
        bucket: input and output images.
        metrics: receives the metrics of jobs and model loads.
        running_jobs: admits jobs, and cancels them at shutdown.
        fetcher: fetches https:// images; None: from the public internet.

    Raises:
        NoUsableGpuError: the instance should have a GPU, and PyTorch cannot use one.
    """
    from inference.diffusion.device import check_device  # imports torch, which takes seconds

    check_device(environment.gpu_instance_types, quantization=environment.quantization)
    delete_leftovers()
    downloads = Path(tempfile.gettempdir())
    fetch = partial(fetch_prefix, s3)
    models = ModelStore(environment, downloads / "models", fetch_prefix=fetch)

    to_warm_up = [environment.model] if environment.warm_up else []

    def load_model(name: str) -> Engine:
        with metrics.model_load(name):
            from inference.diffusion.loader import load_engine  # takes seconds: /ping must not wait

            cache = S3CompileCache(s3, environment.data_bucket_name)
            return load_engine(
                models.fetch(name),
                max_batch_size=environment.max_batch_size,
                fixed_batch_size=environment.fixed_batch_size,
                compile_cache=cache if environment.compile else None,
                cuda_graphs=environment.cuda_graphs,
                quantization=environment.quantization,
                merge_loras=environment.merge_loras,
                warm_up_for=to_warm_up.pop() if to_warm_up else None,  # the first load: nothing is running
            )

    checked = with_local_safety_checker(environment, downloads / "safety_checker", fetch_prefix=fetch)
    postprocessor = Postprocessor.load(checked, models.fetch(environment.model.name))
    gib = environment.model_memory_gib
    engine = ModelPool(
        load_model,
        first=environment.model.name,
        weight_bytes=models.weight_bytes,
        budget_bytes=None if gib is None else int(gib * 2**30),
    )
    adapters = AdapterStore(
        s3, environment.models_bucket_name, downloads / "adapters", max_bytes=_ADAPTER_CACHE_BYTES
    )
    executors = Executors()
    return InvocationHandler(
        engine=engine,
        generator=create_image_generator(
            engine,
            environment=environment,
            bucket=bucket,
            adapters=adapters,
            executors=executors,
            fetcher=fetcher or PublicFetcher(),
        ),
        postprocessor=postprocessor,
        bucket=bucket,
        environment=environment,
        executors=executors,
        metrics=metrics,
        running_jobs=running_jobs,
        revision_of=models.revision,
    )


def create_image_generator(
    engine: Engine,
    *,
    environment: ContainerEnvironment,
    bucket: DataBucket,
    adapters: AdapterStore,
    executors: Executors,
    fetcher: PublicFetcher,
) -> ImageGenerator:
    """The image generator of an engine.

    Args:
        engine: generates and upscales images.
        environment: the container's settings.
        bucket: input images with `s3://` URIs.
        adapters: adapters and upscalers by name.
        executors: run blocking work outside the engine.
        fetcher: fetches input images with `https://` URIs.
    """
    sources = ImageSources(bucket, fetcher, max_bytes=environment.max_input_image_bytes)
    return ImageGenerator(
        preprocessor=InputPreprocessor(sources=sources, environment=environment, executor=executors.inputs),
        adapters=adapters,
        passes=MultiPassGenerator(
            engine,
            UpscalerResolver(engine, adapters.fetch_upscaler, executors=executors),
            max_output_sizes={
                name: model.limits.max_output_size for name, model in environment.served.items()
            },
        ),
        executors=executors,
        log_prompts=environment.log_prompts,
    )
