"""The interface of the store of callers' settings."""

from typing import Protocol

from jobs.caller import Caller
from jobs.compatibility.automatic1111.settings import Settings


class SettingsStore(Protocol):
    """The settings that callers have chosen, which are kept for 30 days."""

    def get(self, caller: Caller) -> Settings:
        """Returns the settings of a caller, none of which may be set."""
        ...

    def put(self, caller: Caller, settings: Settings) -> None:
        """Stores the settings of a caller, in place of earlier ones."""
        ...
