"""Files by their version, on disk, within a number of bytes."""

import hashlib
import shutil
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from weakref import ref

from inference.engine.interface import AdapterFile

Fill = Callable[[Path], None]
"""Writes the file, or the directory, at this path; it may take up what an earlier call has begun."""


def _nobody() -> None:
    """Who holds what has not been lent yet."""


@dataclass
class _Entry:
    directory: Path
    size_bytes: int
    filling: Lock = field(default_factory=Lock)
    filled: bool = False
    lent: Callable[[], AdapterFile | None] = _nobody


class DiskCache:
    """Keeps files until others need their room, the least recently used leaving first.

    What it gives stays on the disk for as long as somebody holds it, whatever the room.
    """

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        """Starts empty.

        Args:
            directory: its own; what an earlier process has left there is removed.
            max_bytes: what the files may occupy together, unless those in use are larger.
        """
        self._directory = directory
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = Lock()
        if directory.exists():
            shutil.rmtree(directory)

    def obtain(
        self, key: str, name: str, *, version: str, suffix: str, size_bytes: int, fill: Fill
    ) -> AdapterFile:
        """The file of this key in this version; it is written if it is not there, once for all who ask.

        Args:
            key: what tells it from the others.
            name: as requests call it.
            version: of its content.
            suffix: of its path; empty for a directory.
            size_bytes: of its content.
            fill: writes it; what it raises is passed on.
        """
        place = digest(key, version)
        with self._lock:
            entry = self._entries.setdefault(place, _Entry(self._directory / place, size_bytes))
            self._entries.move_to_end(place)
            file = entry.lent() or AdapterFile(name, entry.directory / f"content{suffix}", version)
            entry.lent = ref(file)
            self._make_room()
        with entry.filling:
            if not entry.filled:
                entry.directory.mkdir(parents=True, exist_ok=True)
                fill(file.path)
                entry.filled = True
        return file

    def _make_room(self) -> None:
        occupied = sum(entry.size_bytes for entry in self._entries.values())
        for place, entry in list(self._entries.items()):
            if occupied <= self._max_bytes:
                return
            if entry.lent() is None:
                shutil.rmtree(entry.directory, ignore_errors=True)
                del self._entries[place]
                occupied -= entry.size_bytes


def digest(*texts: str) -> str:
    """The same for the same texts: letters and digits."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
