"""What the container tells of its work: metrics, each set of them in a log line of its own.

The lines are in CloudWatch's Embedded Metric Format, which CloudWatch Logs makes metrics of by itself:
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
_METRIC_OF = {
    "fetch": metrics.FETCH_SECONDS,
    "denoise": metrics.DENOISE_SECONDS,
    "encode": metrics.ENCODE_SECONDS,
    "upload": metrics.UPLOAD_SECONDS,
    "total": metrics.TOTAL_SECONDS,
}

Clock = Callable[[], float]
Part = Literal["fetch", "denoise", "encode", "upload"]


class JobMetrics:
    """One job's durations: the result document and the metrics both take them from here."""

    def __init__(self, *, model: str, clock: Clock, arrived_at: float) -> None:
        """Starts the job's clock.

        Args:
            model: what it is drawn with, as long as `self.model` is not set to another.
            clock: seconds, monotonic.
            arrived_at: seconds since the epoch.
        """
        self._clock = clock
        self._begun = clock()
        self._arrived_at = arrived_at
        self.durations_s: dict[str, float] = {}
        self.queued_s: float | None = None
        self.images = 0
        self.model = model

    def identify(self, given: str | None) -> str:
        """The job's id, which is on its log lines from here on: the given one or, at None, a new one."""
        if given is not None:
            self.queued_s = max(0.0, round(self._arrived_at - created_at(given), 3))
        job_id = given or new_job_id()
        bind_job(job_id)
        return job_id

    @contextmanager
    def measure(self, part: Part) -> Iterator[None]:
        """Takes down how long the block takes, if it succeeds."""
        begun = self._clock()
        yield
        self.took(part, self._clock() - begun)

    def took(self, part: Part, seconds: float) -> None:
        """Takes down how long a part has taken that was measured elsewhere."""
        self.durations_s[part] = round(seconds, 3)

    def finish(self, *, images: int) -> None:
        """Tells that the job is done and how many images it has stored."""
        self.images = images
        self.durations_s["total"] = round(self._clock() - self._begun, 3)


class ContainerMetrics:
    """The metrics of a container, each under the model that it is about."""

    def __init__(
        self, *, stage: str, model: str, clock: Clock = time.monotonic, now: Clock = time.time
    ) -> None:
        """Takes the stage, and the model of the jobs that name none."""
        self._stage = stage
        self._model = model
        self._clock = clock
        self._now = now

    @contextmanager
    def loading(self, model: str) -> Iterator[None]:
        """Measures the block as the loading of a model, if it succeeds."""
        begun = self._clock()
        yield
        seconds = {metrics.MODEL_LOAD_SECONDS: round(self._clock() - begun, 3)}
        _LOGGER.info("the model %s is loaded", model, extra=self._document(model, seconds))

    @contextmanager
    def job(self) -> Iterator[JobMetrics]:
        """Measures the block as one job; it has failed when the block raises."""
        job = JobMetrics(model=self._model, clock=self._clock, arrived_at=self._now())
        try:
            yield job
        except Exception as error:
            self._tell_end(job, error)
            raise
        seconds = {_METRIC_OF[part]: duration for part, duration in job.durations_s.items()}
        counts = {metrics.IMAGES: job.images, metrics.FAILURES: 0}
        _LOGGER.info("the job is done", extra=self._document(job.model, _queued(job) | seconds, counts))

    def _tell_end(self, job: JobMetrics, error: Exception) -> None:
        """Tells why there are no images; what its client has canceled has not failed."""
        code = error.code if isinstance(error, ProblemError) else ErrorCode.INTERNAL
        canceled = code is ErrorCode.CANCELED
        document = self._document(job.model, _queued(job), {metrics.FAILURES: 0 if canceled else 1})
        document[metrics.ERROR_CODE_PROPERTY] = code.value
        if isinstance(error, ProblemError) and not error.errors:
            document["detail"] = error.detail  # what is wrong with a field may be told in the prompt's words
        if canceled:
            _LOGGER.info("the job was canceled", extra=document)
        else:
            _LOGGER.warning("the job has failed", extra=document)

    def _document(
        self, model: str, seconds: Mapping[str, float], counts: Mapping[str, float] | None = None
    ) -> dict[str, object]:
        document = EphemeralMetrics(namespace=metrics.NAMESPACE)
        document.set_default_dimensions(**metrics.dimensions(stage=self._stage, model=model))
        for unit, values in ((MetricUnit.Seconds, seconds), (MetricUnit.Count, counts or {})):
            for name, value in values.items():
                document.add_metric(name, unit, value)
        return dict(document.serialize_metric_set())


def _queued(job: JobMetrics) -> dict[str, float]:
    return {} if job.queued_s is None else {metrics.QUEUE_SECONDS: job.queued_s}
