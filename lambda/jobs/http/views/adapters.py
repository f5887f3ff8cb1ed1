"""Adapters as the API shows them."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from jobs.adapters import Adapter, AdapterType


class AdapterView(BaseModel):
    """An adapter in the models bucket."""

    kind: AdapterType
    name: str = Field(description="The name in requests.")
    size: int = Field(description="Size of its files in bytes.")
    modified_at: datetime = Field(description="When the latest of its files was stored.")

    @classmethod
    def of(cls, adapter: Adapter) -> Self:
        """Creates the view of an adapter."""
        return cls(kind=adapter.kind, name=adapter.name, size=adapter.size, modified_at=adapter.modified_at)


class AdapterList(BaseModel):
    """A part of the list of adapters, by kind and name."""

    data: tuple[AdapterView, ...]
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
