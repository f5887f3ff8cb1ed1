"""The container's own server and threads around an engine that only keeps time."""

import logging
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import boto3
import httpx
import uvicorn
from botocore.config import Config
from PIL import Image

from bench.neighbours.work import MODEL
from contract.environment import ContainerEnvironment
from contract.generation import Generation
from inference.artifacts.adapter_store import AdapterStore
from inference.data_bucket import DataBucket
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.engine.interface import AdapterFile, Callbacks, GenerationOutput, Inputs, UpscaleImage
from inference.input.public_fetcher import PublicFetcher
from inference.invocation.executors import Executors
from inference.invocation.handler import InvocationHandler
from inference.invocation.running_jobs import RunningJobs
from inference.observability.metrics import ContainerMetrics
from inference.output.postprocessing import Postprocessor
from inference.server.app import create_app
from inference.wiring import create_image_generator

_BATCH_SIZE = 8
_IMAGES_PER_S = 11
"""The goal for Stable Diffusion 1.5 at 512 x 512 pixels with 20 steps on one H100."""

_POLL_S = 0.01
_STEP_S = _BATCH_SIZE / (20 * _IMAGES_PER_S)
_CONTEXT = multiprocessing.get_context("spawn")


class PacedEngine:
    """Steps its jobs at the pace of a large GPU. `step` is called by the thread that launches."""

    def __init__(self, image: Image.Image) -> None:
        """Takes the image that every job gets."""
        self.versions: Mapping[str, str] = {"diffusers": "0", "torch": "0", "transformers": "0"}
        self.finished = 0
        self._image = image
        self._callbacks = ThreadPoolExecutor(1)
        self._lock = threading.Lock()
        self._running: list[tuple[GenerationTask, list[int]]] = []
        self._due_at = 0.0

    def submit(
        self, generation: Generation, inputs: Inputs, callbacks: Callbacks
    ) -> Future[GenerationOutput]:
        """See `inference.engine.interface.Engine.submit`."""
        task = GenerationTask(generation, inputs, callbacks, callback_executor=self._callbacks)
        with self._lock:
            self._running.append((task, [0]))
        return task.future

    def step(self) -> None:
        """Advances a batch by one step, if that is due."""
        now = time.perf_counter()
        if now < self._due_at:
            return
        with self._lock:
            self._running = [each for each in self._running if not each[0].done]
            batch = self._running[:_BATCH_SIZE]
        for task, done in batch:
            done[0] += 1
            task.report_step(task.generation.steps, batch_size=_BATCH_SIZE)
            if done[0] == task.generation.steps:
                task.complete_image(0, lambda: self._image)
                self.finished += 1
                with self._lock:
                    self._running.remove((task, done))
        self._due_at = max(self._due_at + _STEP_S, now)

    def upscaler(self, file: AdapterFile, *, pointer: str) -> UpscaleImage:
        """No job upscales."""
        raise NotImplementedError

    def check(self) -> None:
        """Always accepts jobs."""

    def close(self) -> None:
        """Has nothing to close."""


@contextmanager
def container(engine: PacedEngine, bucket: DataBucket) -> Iterator[int]:
    """Serves the engine, and yields the port."""
    directory = tempfile.TemporaryDirectory(prefix="bench-neighbours-")  # the adapters' cache empties its own
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(lambda: _handler(engine, bucket, Path(directory.name))),
            host="127.0.0.1",
            port=0,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(_POLL_S)
        port: int = server.servers[0].sockets[0].getsockname()[1]
        while httpx.get(f"http://127.0.0.1:{port}/ping").status_code != HTTPStatus.OK:
            thread.join(_POLL_S)
        yield port
    finally:
        server.should_exit = True
        thread.join()
        directory.cleanup()


@contextmanager
def container_apart(image: Image.Image, url: str) -> Iterator[int]:
    """The same container in a process of its own, with a thread that only steps its jobs."""
    receiver, sender = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_serve_apart, args=(sender, image, url), daemon=True)
    process.start()
    try:
        yield receiver.recv()
    finally:
        process.kill()
        process.join()


def _serve_apart(sender: Connection, image: Image.Image, url: str) -> None:
    logging.disable(logging.WARNING)
    engine = PacedEngine(image)
    with container(engine, bucket_at(url)) as port:
        sender.send(port)
        while True:
            time.sleep(_STEP_S / 4)
            engine.step()


def bucket_at(url: str) -> DataBucket:
    """The bucket that a server at this URL emulates."""
    s3: Any = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",  # noqa: S106
        config=Config(s3={"addressing_style": "path"}),
    )
    return DataBucket(s3, "bench")


def _handler(engine: PacedEngine, bucket: DataBucket, directory: Path) -> InvocationHandler:
    environment = ContainerEnvironment(model=MODEL, data_bucket_name=bucket.name)
    executors = Executors()
    return InvocationHandler(
        engine=engine,
        generator=create_image_generator(
            engine,
            environment=environment,
            bucket=bucket,
            adapters=AdapterStore(None, None, directory / "adapters", max_bytes=0),
            executors=executors,
            fetcher=PublicFetcher(),
        ),
        postprocessor=Postprocessor(),
        bucket=bucket,
        environment=environment,
        executors=executors,
        metrics=ContainerMetrics(stage="bench", model=MODEL.name),
        running_jobs=RunningJobs(),
        revision_of=lambda _model: None,
    )
