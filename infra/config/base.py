"""What every part of the configuration has in common."""

from pydantic import BaseModel, ConfigDict


class InvalidConfigurationError(ValueError):
    """cdk.json or the command line says something that cannot be deployed."""


class Config(BaseModel):
    """A frozen part of the configuration that knows all of its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
