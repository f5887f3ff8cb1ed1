"""Partial downloads: files that are written in parts, can be resumed, and are renamed when complete."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import NamedTuple


class Part(NamedTuple):
    """A byte range from `start` to `end`, exclusive."""

    start: int
    end: int


class PartialDownload:
    """A `.part` file beside the target, and a `.parts` journal with the offsets of its complete parts."""

    def __init__(self, target: Path, *, size: int, version: str, part_bytes: int) -> None:
        """Resumes an earlier download of the same version; otherwise starts over.

        Args:
            target: the path of the complete file.
            size: of the file, in bytes.
            version: an ETag, or another value that changes with the content.
            part_bytes: size of a part; the last may be smaller.
        """
        self._target = target
        self.path = target.with_name(f"{target.name}.part")
        self._journal = target.with_name(f"{target.name}.parts")
        self._parts = [Part(at, min(at + part_bytes, size)) for at in range(0, size, part_bytes)]
        self._lock = Lock()
        header = json.dumps({"version": version, "size": size, "part_bytes": part_bytes})
        lines = self._journal.read_text().splitlines() if self._journal.exists() else []
        if lines[:1] == [header] and self.path.exists():
            self._complete = {int(line) for line in lines[1:] if line.isdecimal()}
        else:
            self._complete = set()
            self.discard()
            self._journal.write_text(header + "\n")
        self.path.touch()
        os.truncate(self.path, size)

    @property
    def missing(self) -> list[Part]:
        """The parts that are not yet written."""
        return [part for part in self._parts if part.start not in self._complete]

    def write(self, part: Part, blocks: Iterable[bytes]) -> None:
        """Writes a part. Threads may write different parts at the same time.

        Raises:
            ValueError: the blocks have fewer or more bytes than the part.
        """
        with self.path.open("r+b") as file:
            file.seek(part.start)
            written = sum(file.write(block) for block in blocks)
        if written != part.end - part.start:
            raise ValueError(f"received {written} bytes for a part of {part.end - part.start}")
        with self._lock, self._journal.open("a") as journal:
            self._complete.add(part.start)
            journal.write(f"{part.start}\n")

    def complete(self) -> None:
        """Renames the file to the target, and deletes the journal."""
        self.path.replace(self._target)
        self._journal.unlink()

    def discard(self) -> None:
        """Deletes the file and the journal."""
        self.path.unlink(missing_ok=True)
        self._journal.unlink(missing_ok=True)
