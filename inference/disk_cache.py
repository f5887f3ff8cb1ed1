"""Files by their version, on disk, within a number of bytes."""

import hashlib
import shutil
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from weakref import ReferenceType, ref

from inference.engine import AdapterFile

Fill = Callable[[Path], None]
"""Writes the file, or the directory, at the path that it is given; nothing is there."""


@dataclass
class _Entry:
    path: Path
    size_bytes: int
    filling: Lock = field(default_factory=Lock)
    filled: bool = False
    lent: ReferenceType[AdapterFile] | None = None

    @property
    def in_use(self) -> bool:
        return self.lent is not None and self.lent() is not None


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
            fill: writes it. What it raises is passed on, and nothing is kept.
        """
        digest = hashlib.sha256(f"{key}@{version}".encode()).hexdigest()
        path = self._directory / f"{digest}{suffix}"
        with self._lock:
            entry = self._entries.setdefault(digest, _Entry(path, size_bytes))
            self._entries.move_to_end(digest)
            file = (entry.lent and entry.lent()) or AdapterFile(name, path, version)
            entry.lent = ref(file)
            self._make_room()
        with entry.filling:
            if not entry.filled:
                _fill(entry, fill)
        return file

    def _make_room(self) -> None:
        occupied = sum(entry.size_bytes for entry in self._entries.values())
        for digest, entry in list(self._entries.items()):
            if occupied <= self._max_bytes:
                return
            if not entry.in_use:
                _remove(entry.path)
                del self._entries[digest]
                occupied -= entry.size_bytes


def _fill(entry: _Entry, fill: Fill) -> None:
    entry.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        fill(entry.path)
        entry.filled = True
    finally:
        if not entry.filled:
            _remove(entry.path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
