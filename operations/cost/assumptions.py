"""Assumptions about usage, jobs and models, read from assumptions.toml, which documents each value."""

import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

ASSUMPTIONS = Path(__file__).parents[1] / "assumptions.toml"

_Positive = Annotated[float, Field(gt=0)]
_Count = Annotated[int, Field(ge=0)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Usage(_Table):
    """The distribution of jobs over time."""

    days_per_month: int = Field(gt=0)
    hours_per_month: int = Field(gt=0)
    sessions_per_day: int = Field(gt=0)
    session_hours: _Positive
    start_up_s: _Positive


class Job(_Table):
    """The requests to AWS services that a job of one image makes."""

    polls: _Count
    function_s: _Positive
    authorizer_s: _Positive
    function_gb: _Positive
    table_writes: _Count
    table_reads: _Count
    record_kb: _Positive
    bucket_puts: _Count
    bucket_gets: _Count
    notifications: _Count
    queue_requests: _Count
    log_kb: _Positive
    container_metrics: _Count
    downloads: float = Field(ge=0)
    answer_kb: _Positive


class Idle(_Table):
    """Cost that does not depend on the number of jobs."""

    pollers: _Count
    poll_s: _Positive
    image_gb: _Positive


class Family(_Table):
    """A model family and its typical image.

    Attributes:
        side: the width and height of the image in pixels.
    """

    name: str
    side: int = Field(gt=0)
    steps: int = Field(gt=0)
    image_mb: _Positive
    weights_gb: _Positive

    @property
    def title(self) -> str:
        """The name with the image's size and number of steps."""
        return f"{self.name}, {self.side}x{self.side}, {self.steps} steps"


class Speed(_Table):
    """A published speed of one GPU."""

    family: str
    gpu: str
    steps_per_s: _Positive
    source: str


class Assumptions(_Table):
    """The content of assumptions.toml."""

    usage: Usage
    job: Job
    idle: Idle
    families: dict[str, Family]
    speeds: tuple[Speed, ...]

    @classmethod
    def read(cls, path: Path = ASSUMPTIONS) -> Self:
        """Reads and validates the file."""
        return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))

    def speed(self, family: str, gpu: str) -> Speed | None:
        """The published speed of a GPU; None if there is none."""
        return next((speed for speed in self.speeds if (speed.family, speed.gpu) == (family, gpu)), None)

    def family_of(self, width: int, height: int) -> Family:
        """The family whose typical image has the most similar number of pixels."""
        return min(self.families.values(), key=lambda family: abs(family.side**2 - width * height))
