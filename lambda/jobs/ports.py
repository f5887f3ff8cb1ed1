"""What the use cases need of the outside world. Each contract is stated here, once."""

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
        """Puts a new job on record.

        Raises:
            JobExistsError: the id is taken.
        """
        ...

    def get(self, job_id: str) -> Job:
        """The job as it is on record, read consistently.

        Raises:
            JobNotFoundError: there is none.
        """
        ...

    def attach(self, job_id: str, invocation: Invocation) -> None:
        """Notes where SageMaker will answer. Not a transition: a job that is settled already keeps its state.

        Raises:
            JobNotFoundError: there is none.
        """
        ...

    def request_cancellation(self, job_id: str) -> bool:
        """Notes that a queued job's client has canceled it: False if it had ended before.

        Raises:
            JobNotFoundError: there is none.
        """
        ...

    def settle(self, job_id: str, outcome: Outcome, finished_at: datetime) -> bool:
        """Ends a queued job: True if this call did it, False if it had ended before.

        Raises:
            JobNotFoundError: there is none.
        """
        ...


class JobDocuments(Protocol):
    """The documents of a job in the data bucket."""

    def put_request(self, generation: Generation) -> str:
        """Stores the invocation's body and gives its `s3://` URI.

        Raises:
            HandoverError: the store did not take it.
        """
        ...

    def put_picture(self, picture: InlineImage) -> None:
        """Stores a picture that came inside a request.

        Raises:
            HandoverError: the store did not take it.
        """
        ...

    def mark_canceled(self, job_id: str) -> None:
        """Asks the container to stop; asking again changes nothing.

        Raises:
            HandoverError: the store did not take it.
        """
        ...

    def read_progress(self, job_id: str) -> Progress | None:
        """The container's last word, or None before its first."""
        ...

    def read_result(self, uri: str) -> GenerationResult:
        """The result document at the URI.

        Raises:
            UnreadableAnswerError: nothing is there, or no result document.
        """
        ...

    def read_problem(self, uri: str) -> Problem:
        """The container's problem document at the URI.

        Raises:
            UnreadableAnswerError: nothing is there, or no problem document.
        """
        ...

    def presign(self, uri: str) -> str:
        """A link to the object that works without credentials for an hour."""
        ...


class Endpoints(Protocol):
    """The models' asynchronous endpoints."""

    def invoke(self, model: str, job_id: str, request_uri: str) -> Invocation:
        """Hands a stored request to the model's endpoint.

        Raises:
            HandoverError: the endpoint is not there, is not in service or takes no more.
        """
        ...
