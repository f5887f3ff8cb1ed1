"""What is assumed about use and models, out of assumptions.toml; what each figure means stands there."""

import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

ASSUMPTIONS = Path(__file__).parents[1] / "assumptions.toml"

_Positive = Annotated[float, Field(gt=0)]
_Count = Annotated[int, Field(ge=0)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Use(_Table):
    """How the work comes."""

    days_a_month: int = Field(gt=0)
    hours_a_month: int = Field(gt=0)
    sessions_a_day: int = Field(gt=0)
    session_hours: _Positive
    start_up_s: _Positive


class Job(_Table):
    """What a job of one image asks of the services."""

    polls: _Count
    function_s: _Positive
    function_gb: _Positive
    table_writes: _Count
    table_reads: _Count
    record_kb: _Positive
    bucket_puts: _Count
    bucket_gets: _Count
    notices: _Count
    queue_requests: _Count
    log_kb: _Positive
    container_metrics: _Count
    downloads: float = Field(ge=0)


class Idle(_Table):
    """What costs without any use."""

    pollers: _Count
    poll_s: _Positive
    image_gb: _Positive


class Family(_Table):
    """A kind of model, and the image that is drawn with it.

    Attributes:
        side: pixels of the square image.
    """

    name: str
    side: int = Field(gt=0)
    steps: int = Field(gt=0)
    image_mb: _Positive
    weights_gb: _Positive

    @property
    def title(self) -> str:
        """The name, and what is drawn."""
        return f"{self.name}, {self.side}x{self.side}, {self.steps} steps"


class Speed(_Table):
    """How fast one GPU is said to draw."""

    family: str
    gpu: str
    steps_per_s: _Positive
    source: str


class Assumptions(_Table):
    """The whole file."""

    use: Use
    job: Job
    idle: Idle
    families: dict[str, Family]
    speeds: tuple[Speed, ...]

    @classmethod
    def read(cls, path: Path = ASSUMPTIONS) -> Self:
        """What the file says."""
        return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))

    def speed(self, family: str, gpu: str) -> Speed | None:
        """What is published of the GPU; None if nothing is."""
        return next((each for each in self.speeds if (each.family, each.gpu) == (family, gpu)), None)

    def family_of(self, width: int, height: int) -> Family:
        """The family whose images come nearest in size."""
        return min(self.families.values(), key=lambda family: abs(family.side**2 - width * height))
