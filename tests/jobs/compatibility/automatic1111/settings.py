"""In-memory store of callers' settings."""

from jobs.caller import Caller
from jobs.compatibility.automatic1111.settings import NOT_SET, Settings


class InMemorySettings:
    def __init__(self) -> None:
        self.settings: dict[Caller, Settings] = {}

    def get(self, caller: Caller) -> Settings:
        return self.settings.get(caller, NOT_SET)

    def put(self, caller: Caller, settings: Settings) -> None:
        self.settings[caller] = settings
