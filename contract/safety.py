"""The NSFW filter: its modes and its report."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class SafetyMode(StrEnum):
    """The treatment of images that the NSFW detector flags."""

    OFF = "off"
    """Images are not checked."""

    FLAG = "flag"
    """A flagged image is delivered; its result has the flag `nsfw`."""

    BLUR = "blur"
    """A flagged image is delivered blurred."""

    BLOCK = "block"
    """A flagged image is not delivered."""


NSFW = "nsfw"
"""The flag of an image that the detector considers not safe for work."""


class SafetyReport(BaseModel):
    """The NSFW filter that was applied to the images of a job."""

    model_config = ConfigDict(frozen=True)

    mode: SafetyMode
    detector: str | None = Field(description="Name and version of the detector; null for mode `off`.")
