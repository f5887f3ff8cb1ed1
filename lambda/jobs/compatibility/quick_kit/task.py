"""Tasks, models and uploaded files, in the form that the page reads."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, Field, RootModel

from contract.model import ModelDeclaration
from jobs.job import Job
from jobs.lifecycle import JobStatus
from jobs.ports import Link


class TaskStatus(StrEnum):
    """The status of a task. The page asks again until it is one of the last two."""

    PENDING = "Pending"
    COMPLETED = "completed"
    FAILED = "Failed"


class TaskSubmitted(BaseModel):
    """The answer to a request for images."""

    task_id: str = Field(description="The job's id.")


class Task(BaseModel):
    """A task that has not failed: a job, in the form that the page reads."""

    status: TaskStatus
    images: tuple[str, ...] = Field(
        default=(), description="Links to the images, which work for an hour. Empty until it is completed."
    )

    @classmethod
    def of(cls, job: Job, link: Callable[[str], Link]) -> Self:
        """Creates the view of a job that is unfinished, or has succeeded."""
        if job.status is not JobStatus.SUCCEEDED:
            return cls(status=TaskStatus.PENDING)
        images = tuple(link(each.s3_uri).url for each in job.images if each.s3_uri is not None)
        return cls(status=TaskStatus.COMPLETED, images=images)


class TaskError(BaseModel):
    """The form of all errors."""

    status: TaskStatus = Field(
        description="`Pending` if the same request may succeed later, so that the page asks again."
    )
    msg: str = Field(description="Description of the error and the remedy.")


class PageModel(BaseModel):
    """A model, as the page lists it."""

    label: str = Field(description="Name of the model.")
    sm_endpoint: str = Field(description="Name of the model, for the header X-SM-Endpoint.")
    hit: str = Field(default="", description="Begins the prompt; always empty.")
    publish: bool = True


class PageModelList(RootModel[tuple[PageModel, ...]]):
    """All models, as the page lists them."""

    @classmethod
    def of(cls, models: Iterable[ModelDeclaration]) -> Self:
        """Creates the view of the models."""
        return cls(tuple(PageModel(label=each.name, sm_endpoint=each.name) for each in models))
