"""What the instances cost that draw a month's images."""

from dataclasses import dataclass
from math import ceil

from operations.cost.assumptions import Use

_HOUR_S = 3600


@dataclass(frozen=True)
class Drawing:
    """A month's images on one instance type.

    Attributes:
        seconds: of an instance, an image.
        usd_per_hour: of an instance.
        idle_tail_s: seconds for which an instance stays after its last image.
    """

    images: int
    seconds: float
    usd_per_hour: float
    idle_tail_s: int
    use: Use

    @property
    def hours(self) -> float:
        """Instance hours in which something is drawn."""
        return self.images * self.seconds / _HOUR_S

    @property
    def drawing_usd(self) -> float:
        """What those hours cost."""
        return self.hours * self.usd_per_hour

    @property
    def sessions(self) -> int:
        """Sessions in the month; none without an image."""
        return min(self.images, self.use.sessions_a_day * self.use.days_a_month)

    @property
    def instances(self) -> int:
        """Instances that a session needs to be done in its time."""
        return ceil(self.hours / (self.sessions * self.use.session_hours)) if self.sessions else 0

    @property
    def wake_ups_usd(self) -> float:
        """What the instances cost while they start, and while they wait for more at the end."""
        seconds = self.use.start_up_s + self.idle_tail_s
        return self.sessions * self.instances * seconds / _HOUR_S * self.usd_per_hour
