"""What happens to images that a detector takes for not safe for work."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class SafetyMode(StrEnum):
    """What is done about such an image."""

    OFF = "off"
    """Nobody looks."""

    FLAG = "flag"
    """It is delivered, and its result says so."""

    BLUR = "blur"
    """It is delivered beyond recognition."""

    BLOCK = "block"
    """It is not delivered."""


NSFW = "nsfw"
"""The flag of an image that the detector has taken for not safe for work."""


class SafetyReport(BaseModel):
    """What looked at the images of a job."""

    model_config = ConfigDict(frozen=True)

    mode: SafetyMode
    detector: str | None = Field(description="The detector's name and version; null where nobody looked.")
