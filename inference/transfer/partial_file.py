"""Files that are written in parts and get their names when they are whole."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import NamedTuple


class Part(NamedTuple):
    """The bytes from `start` up to, not including, `end`."""

    start: int
    end: int


class PartialFile:
    """A `.part` beside the file it is to become, and a `.parts` that notes what is in it already."""

    def __init__(self, target: Path, *, size: int, version: str, part_bytes: int) -> None:
        """Goes on with what an earlier one has left, if that was of the same content.

        Args:
            target: what the file is to be called.
            size: its bytes.
            version: differs where the content does.
            part_bytes: the size of its parts; the last may be smaller.
        """
        self._target = target
        self.path = target.with_name(f"{target.name}.part")
        self._notes = target.with_name(f"{target.name}.parts")
        self._parts = [Part(at, min(at + part_bytes, size)) for at in range(0, size, part_bytes)]
        self._lock = Lock()
        heading = json.dumps({"version": version, "size": size, "part_bytes": part_bytes})
        noted = self._notes.read_text().splitlines() if self._notes.exists() else []
        if noted[:1] == [heading] and self.path.exists():
            self._done = {int(line) for line in noted[1:] if line.isdecimal()}
        else:
            self._done = set()
            self.discard()
            self._notes.write_text(heading + "\n")
        self.path.touch()
        os.truncate(self.path, size)

    @property
    def missing(self) -> list[Part]:
        """The parts that are still to be written."""
        return [part for part in self._parts if part.start not in self._done]

    def write(self, part: Part, blocks: Iterable[bytes]) -> None:
        """Writes a part; several may be written at once.

        Raises:
            ValueError: there are fewer or more bytes than the part has.
        """
        with self.path.open("r+b") as file:
            file.seek(part.start)
            written = sum(file.write(block) for block in blocks)
        if written != part.end - part.start:
            raise ValueError(f"{written} bytes for a part of {part.end - part.start}")
        with self._lock, self._notes.open("a") as notes:
            self._done.add(part.start)
            notes.write(f"{part.start}\n")

    def complete(self) -> None:
        """Gives the file its name."""
        self.path.replace(self._target)
        self._notes.unlink()

    def discard(self) -> None:
        """Forgets what has been written."""
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)
