"""The base class of all configuration objects."""

from pydantic import BaseModel, ConfigDict


class InvalidConfigurationError(ValueError):
    """The configuration in cdk.json or the chosen stage is not valid; the message explains each error."""


class Config(BaseModel):
    """A frozen configuration object that rejects unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
