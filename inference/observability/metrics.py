"""CloudWatch metrics of model loads and jobs, logged in the Embedded Metric Format.

CloudWatch Logs extracts the metrics from the log lines:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from contract import metrics
from contract.identifiers import created_at, new_job_id
from contract.problem import ErrorCode, ProblemError
from inference.observability.logs import bind_job

_LOGGER = logging.getLogger(__name__)
_METRIC_NAMES = {
    "fetch": metrics.FETCH_SECONDS,
    "denoise": metrics.DENOISE_SECONDS,
    "encode": metrics.ENCODE_SECONDS,
    "upload": metrics.UPLOAD_SECONDS,
    "total": metrics.TOTAL_SECONDS,
}

Clock = Callable[[], float]
JobPart = Literal["fetch", "denoise", "encode", "upload"]


class JobMetrics:
    """Durations and counts of one job, for its result document and its metrics.

    Attributes:
        durations_s: seconds by part, and in `total` once the job has finished.
        queued_s: seconds between the job's creation and its invocation; None if the request has no id.
        images: number of images stored.
        model: name of the model, a dimension of the metrics.
    """

    def __init__(self, *, model: str, clock: Clock, received_at: float) -> None:
        """Starts the job's clock.

        Args:
            model: initial value of `self.model`.
            clock: monotonic, in seconds.
            received_at: seconds since the epoch.
        """
        self._clock = clock
        self._started_at = clock()
        self._received_at = received_at
        self.durations_s: dict[str, float] = {}
        self.queued_s: float | None = None
        self.images = 0
        self.model = model

    def assign_id(self, requested: str | None) -> str:
        """Returns the requested job id or, if None, a new one, and binds it to the log records of the job."""
        if requested is not None:
            self.queued_s = max(0.0, round(self._received_at - created_at(requested), 3))
        job_id = requested or new_job_id()
        bind_job(job_id)
        return job_id

    @contextmanager
    def measure(self, part: JobPart) -> Iterator[None]:
        """Records the duration of the block, unless it raises."""
        started_at = self._clock()
        yield
        self.record(part, self._clock() - started_at)

    def record(self, part: JobPart, seconds: float) -> None:
        """Records a duration that was measured elsewhere."""
        self.durations_s[part] = round(seconds, 3)

    def finish(self, *, images: int) -> None:
        """Records the total duration and the number of images stored."""
        self.images = images
        self.durations_s["total"] = round(self._clock() - self._started_at, 3)


class ContainerMetrics:
    """Logs the metrics of a container, with the stage and the model as dimensions."""

    def __init__(
        self, *, stage: str, model: str, clock: Clock = time.monotonic, now: Clock = time.time
    ) -> None:
        """Creates the metrics.

        Args:
            stage: deployment stage.
            model: model of the jobs that name none.
            clock: monotonic, in seconds.
            now: seconds since the epoch.
        """
        self._stage = stage
        self._model = model
        self._clock = clock
        self._now = now

    @contextmanager
    def model_load(self, model: str) -> Iterator[None]:
        """Logs the duration of the block as a model load, unless it raises."""
        started_at = self._clock()
        yield
        seconds = {metrics.MODEL_LOAD_SECONDS: round(self._clock() - started_at, 3)}
        _LOGGER.info("model %s loaded", model, extra=self._document(model, seconds))

    @contextmanager
    def job(self) -> Iterator[JobMetrics]:
        """Logs the metrics of the block as one job; the job failed if the block raises."""
        job = JobMetrics(model=self._model, clock=self._clock, received_at=self._now())
        try:
            yield job
        except Exception as error:
            self._log_failure(job, error)
            raise
        seconds = {_METRIC_NAMES[part]: duration for part, duration in job.durations_s.items()}
        counts = {metrics.IMAGES: job.images, metrics.FAILURES: 0}
        document = self._document(job.model, _queue_seconds(job) | seconds, counts)
        _LOGGER.info("job succeeded", extra=document)

    def _log_failure(self, job: JobMetrics, error: Exception) -> None:
        """Logs the error code; a job that its client canceled does not count as a failure."""
        code = error.code if isinstance(error, ProblemError) else ErrorCode.INTERNAL
        canceled = code is ErrorCode.CANCELED
        document = self._document(job.model, _queue_seconds(job), {metrics.FAILURES: 0 if canceled else 1})
        document[metrics.ERROR_CODE_PROPERTY] = code.value
        if isinstance(error, ProblemError) and not error.errors:
            document["detail"] = error.detail  # not that of invalid fields: it may quote the prompt
        if canceled:
            _LOGGER.info("job canceled", extra=document)
        else:
            _LOGGER.warning("job failed", extra=document)

    def _document(
        self, model: str, seconds: Mapping[str, float], counts: Mapping[str, float] | None = None
    ) -> dict[str, object]:
        document = EphemeralMetrics(namespace=metrics.NAMESPACE)
        document.set_default_dimensions(**metrics.dimensions(stage=self._stage, model=model))
        for unit, values in ((MetricUnit.Seconds, seconds), (MetricUnit.Count, counts or {})):
            for name, value in values.items():
                document.add_metric(name, unit, value)
        return dict(document.serialize_metric_set())


def _queue_seconds(job: JobMetrics) -> dict[str, float]:
    return {} if job.queued_s is None else {metrics.QUEUE_SECONDS: job.queued_s}
