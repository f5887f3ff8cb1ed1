"""Writes .tar.gz archives for tests."""

import io
import tarfile
from pathlib import Path


def pack(path: Path, **members: bytes | tarfile.TarInfo) -> Path:
    """Packs files, given as content by name, and members of other types."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path
