"""The cost of the instances that generate the images of a month."""

from dataclasses import dataclass
from math import ceil

from operations.cost.assumptions import Usage

_HOUR_S = 3600


@dataclass(frozen=True)
class Generation:
    """A month's images on one instance type.

    Attributes:
        seconds: instance seconds per image.
        usd_per_hour: the price of an instance.
        idle_tail_s: seconds that an instance stays after its last image.
    """

    images: int
    seconds: float
    usd_per_hour: float
    idle_tail_s: int
    usage: Usage

    @property
    def hours(self) -> float:
        """Instance hours in which images are generated."""
        return self.images * self.seconds / _HOUR_S

    @property
    def generation_usd(self) -> float:
        """The cost of the hours in which images are generated."""
        return self.hours * self.usd_per_hour

    @property
    def sessions(self) -> int:
        """Sessions per month, at most one per image."""
        return min(self.images, self.usage.sessions_per_day * self.usage.days_per_month)

    @property
    def instances(self) -> int:
        """Instances that a session needs to finish in time."""
        return ceil(self.hours / (self.sessions * self.usage.session_hours)) if self.sessions else 0

    @property
    def start_and_idle_usd(self) -> float:
        """The cost of the instances' start-up and of the idle time at the end of each session."""
        seconds = self.usage.start_up_s + self.idle_tail_s
        return self.sessions * self.instances * seconds / _HOUR_S * self.usd_per_hour
