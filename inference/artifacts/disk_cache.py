"""A least-recently-used cache of versioned files on disk."""

import hashlib
import shutil
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from weakref import ref

from inference.engine.interface import AdapterFile

Download = Callable[[Path], None]
"""Writes the file or directory at this path; it may resume what a failed call has left."""


def _no_file() -> None:
    """A dead reference, for entries that were not returned yet."""


@dataclass
class _Entry:
    """A cached file.

    Attributes:
        directory: the entry's own.
        size_bytes: of the content.
        download_lock: held by the thread that downloads.
        downloaded: whether the content is complete.
        file: weak reference to the file that was returned last; dead if no caller uses it.
    """

    directory: Path
    size_bytes: int
    download_lock: Lock = field(default_factory=Lock)
    downloaded: bool = False
    file: Callable[[], AdapterFile | None] = _no_file


class DiskCache:
    """Caches files up to a total size, evicting the least recently used. Files in use are never evicted."""

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        """Starts empty.

        Args:
            directory: of the cache; entries of an earlier cache in it are deleted, other files are not.
            max_bytes: total size; exceeded only by files in use.
        """
        self._directory = directory
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = Lock()
        for earlier in directory.glob("[0-9a-f]" * 64):
            shutil.rmtree(earlier)

    def get(
        self, key: str, name: str, *, version: str, suffix: str, size_bytes: int, download: Download
    ) -> AdapterFile:
        """The file of this key and version, downloaded if absent; once for simultaneous calls.

        Args:
            key: identifies the file.
            name: as in requests.
            version: of the content.
            suffix: of the path; empty for a directory.
            size_bytes: of the content.
            download: called if the file is absent; its errors are raised.
        """
        entry_id = digest(key, version)
        with self._lock:
            entry = self._entries.setdefault(entry_id, _Entry(self._directory / entry_id, size_bytes))
            self._entries.move_to_end(entry_id)
            file = entry.file() or AdapterFile(name, entry.directory / f"content{suffix}", version)
            entry.file = ref(file)
            self._evict()
        with entry.download_lock:
            if not entry.downloaded:
                entry.directory.mkdir(parents=True, exist_ok=True)
                download(file.path)
                entry.downloaded = True
        return file

    def _evict(self) -> None:
        total = sum(entry.size_bytes for entry in self._entries.values())
        for entry_id, entry in list(self._entries.items()):
            if total <= self._max_bytes:
                return
            if entry.file() is None:
                shutil.rmtree(entry.directory, ignore_errors=True)
                del self._entries[entry_id]
                total -= entry.size_bytes


def digest(*texts: str) -> str:
    """A hexadecimal hash of the texts, usable as a file name."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
