"""Interfaces of the services' dependencies: job records, job documents and endpoints."""

from datetime import datetime
from typing import Protocol

from contract.generation import Generation
from contract.problem import Problem
from contract.progress import Progress
from contract.result import GenerationResult
from jobs.inline_images import InlineImage
from jobs.job import Invocation, Job, Outcome


class JobRepository(Protocol):
    """The job records."""

    def create(self, job: Job) -> None:
        """Stores a new job.

        Raises:
            JobExistsError: another job has the id.
        """
        ...

    def get(self, job_id: str) -> Job:
        """Returns the stored job. Reads are strongly consistent.

        Raises:
            JobNotFoundError: there is no such job.
        """
        ...

    def set_invocation(self, job_id: str, invocation: Invocation) -> None:
        """Stores the locations of the response. The status is not changed, even if the job has ended.

        Raises:
            JobNotFoundError: there is no such job.
        """
        ...

    def request_cancellation(self, job_id: str) -> bool:
        """Sets `cancel_requested`. Returns False if the job had already ended.

        Raises:
            JobNotFoundError: there is no such job.
        """
        ...

    def finish(self, job_id: str, outcome: Outcome, finished_at: datetime) -> bool:
        """Stores the outcome of a queued job. Returns False and stores nothing if the job had ended.

        Raises:
            JobNotFoundError: there is no such job.
        """
        ...


class JobDocuments(Protocol):
    """The documents of a job in the data bucket."""

    def put_request(self, generation: Generation) -> str:
        """Stores the body of the invocation and returns its `s3://` URI.

        Raises:
            EndpointUnavailableError: the body could not be stored.
        """
        ...

    def put_inline_image(self, image: InlineImage) -> None:
        """Stores an image that was part of a request.

        Raises:
            EndpointUnavailableError: the image could not be stored.
        """
        ...

    def mark_canceled(self, job_id: str) -> None:
        """Stores the marker that makes the container stop the job; repeating the call changes nothing.

        Raises:
            EndpointUnavailableError: the marker could not be stored.
        """
        ...

    def read_progress(self, job_id: str) -> Progress | None:
        """Returns the container's latest progress; None before the first one."""
        ...

    def read_result(self, uri: str) -> GenerationResult:
        """Returns the result document at the URI.

        Raises:
            UnreadableDocumentError: the object is missing or is not a result document.
        """
        ...

    def read_problem(self, uri: str) -> Problem:
        """Returns the container's problem document at the URI.

        Raises:
            UnreadableDocumentError: the object is missing or is not a problem document.
        """
        ...

    def presign(self, uri: str) -> str:
        """Returns a link to the object that works without credentials for an hour."""
        ...


class Endpoints(Protocol):
    """The models' asynchronous endpoints."""

    def invoke(self, model: str, job_id: str, request_uri: str) -> Invocation:
        """Invokes the model's endpoint with a stored request.

        Raises:
            EndpointUnavailableError: the endpoint does not exist, is not in service or is throttled.
        """
        ...
