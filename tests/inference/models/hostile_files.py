"""Files of a few kilobytes that would take hours or fill the memory if their content were trusted."""

import gzip
import json
import resource
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import torch

_STATM = Path("/proc/self/statm")


def zip_with_pickle(path: Path, content: bytes, *, compression: int = zipfile.ZIP_STORED) -> Path:
    """A checkpoint with these opcodes, which follow those of the protocol."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + content + b".")
        archive.writestr("archive/version", b"3\n")
    return path


def self_containing(path: Path) -> Path:
    """A checkpoint whose state dict is the checkpoint."""
    content: dict[str, object] = {}
    content["state_dict"] = content
    torch.save(content, path)
    return path


def nested_tuple_key(path: Path) -> Path:
    """A dictionary whose key is a tuple nested so often that its hash takes 2^60 steps."""
    nested = b")" + b"".join(b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(60))
    return zip_with_pickle(path, b"}" + nested + b"K\x01s")


def nested_tuple_function(path: Path) -> Path:
    """A call of such a tuple; its representation in an error would have 2^60 characters."""
    nested = b")" + b"".join(b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(60))
    return zip_with_pickle(path, nested + b")R")


_PARAMETER_DICT = b"ctorch.nn.modules.container\nParameterDict\n"
_PARAMETERS = b"X\x0b\0\0\0_parameters"


def shared_parameters(path: Path) -> Path:
    """20,000 objects with the same 20,000 parameters."""
    entries = b"".join(b"X\x05\0\0\0%05dK\x01s" % number for number in range(20_000))
    state = b"}" + _PARAMETERS + b"h\0sq\1"
    objects = b"h\2)\x81h\1b" * 20_000
    return zip_with_pickle(path, b"}q\0" + entries + state + _PARAMETER_DICT + b"q\2" + objects)


def parameters_with_a_nested_tuple(path: Path) -> Path:
    """An object whose parameters are a list of pairs, with a key as in `nested_tuple_key`."""
    nested = b")" + b"".join(b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(60))
    pairs = b"]" + nested + b"K\x01\x86a"
    return zip_with_pickle(path, _PARAMETER_DICT + b")\x81}" + _PARAMETERS + pairs + b"sb")


def large_bytearray(path: Path) -> Path:
    """A call of `bytearray(2 ** 31 - 1)`."""
    return zip_with_pickle(path, b"}X\x01\0\0\0acbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85Rs")


def expanding_encoding(path: Path) -> Path:
    """Calls of `_codecs.encode`, each of which doubles a text."""
    calls = b"".join(b"c_codecs\nencode\nh\0X\x03\0\0\0hex\x86Rq\0" for _ in range(60))
    return zip_with_pickle(path, b"X\x01\0\0\0aq\0" + calls)


def large_integer(path: Path) -> Path:
    """A key that is an integer of 10 MB, set often."""
    number = b"\x8b" + struct.pack("<i", 10_000_000) + b"\x7f" * 10_000_000
    return zip_with_pickle(path, number + b"q\0}" + b"h\0Ns" * 100_000)


def long_key(path: Path) -> Path:
    """A key that is a text of 10 MB, set often."""
    text = b"X" + struct.pack("<I", 10_000_000) + b"a" * 10_000_000
    return zip_with_pickle(path, text + b"q\0}" + b"h\0Ns" * 100_000)


def many_opcodes(path: Path, number: int = 5_000_000) -> Path:
    """More opcodes than any checkpoint has: a list of empty dictionaries."""
    return zip_with_pickle(path, b"](" + b"}" * number + b"e")


def ignored_classes(path: Path, number: int = 1_300_000) -> Path:
    """As many names of ignored classes as fit in a pickle of 18 MB: the slowest opcodes."""
    return zip_with_pickle(path, b"](" + b"cbuiltins\nset\n" * number + b"e")


def large_pickle(path: Path) -> Path:
    """A pickle larger than that of any checkpoint."""
    return zip_with_pickle(path, b"X" + struct.pack("<I", 40_000_000) + b"a" * 40_000_000)


def compressed_pickle(path: Path) -> Path:
    """A pickle of 30 MB, compressed."""
    return zip_with_pickle(path, b"]" + b"}" * 30_000_000, compression=zipfile.ZIP_DEFLATED)


def many_tensors(path: Path) -> Path:
    """110,000 tensors of one storage."""
    storage = b"(X\x07\0\0\0storagectorch\nByteStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\0tQ"
    function = b"ctorch._utils\n_rebuild_tensor_v2\nq\0"
    arguments = b"(" + storage + b"K\0K\0\x85K\0\x85\x89}tq\x01"
    return zip_with_pickle(path, function + arguments + b"(" + b"h\0h\x01R" * 110_000 + b"l")


def many_records(path: Path) -> Path:
    """A zip archive with more entries than any checkpoint has."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
    content = path.read_bytes()
    end = content.index(b"PK\5\6")
    start = content.index(b"PK\1\2")
    entry, count = content[start:end], 150_000
    zip64 = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, count * len(entry), start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, start + count * len(entry), 1)
    last = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 65535, 65535, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(content[:start] + entry * count + zip64 + locator + last)
    return path


def large_directory(path: Path) -> Path:
    """A zip archive with a directory of 40 MB."""
    directory = b"PK\1\2" * 10_000_000
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(directory), 4, 0)
    path.write_bytes(b"PK\3\4" + directory + end)
    return path


def tensor_without_data(path: Path, *, zipped: bool = True) -> Path:
    """A tensor of 64 GiB over four bytes, by a stride of 0."""
    tensor = torch.zeros(1).expand(1 << 24, 1 << 10)
    torch.save({"a": tensor}, path, _use_new_zipfile_serialization=zipped)
    return path


def views_of_one_storage(path: Path, *, zipped: bool = True) -> Path:
    """100 tensors of 1 MB, all of the same data."""
    data = torch.zeros(1 << 20, dtype=torch.uint8)
    content = {str(i): data[:] for i in range(100)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


def safetensors_with_header(path: Path, header: object, *, size: int | None = None) -> Path:
    """A safetensors file without data."""
    content = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(content) if size is None else size) + content)
    return path


def tar_with_long_name(path: Path, *, size: int = 1 << 30) -> Path:
    """A .tar.gz with a name of 1 GiB, compressed to 1 MB."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, size
    with gzip.open(path, "wb", compresslevel=9) as archive:
        archive.write(member.tobuf(tarfile.GNU_FORMAT))
        for _ in range(size >> 20):
            archive.write(b"a" * (1 << 20))
    return path


def tar_with_deep_path(path: Path) -> Path:
    """A .tar.gz with a path of 3,000 directories."""
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("d/" * 3_000 + "file"), BytesIO())
    return path


def tar_compressed_twice(path: Path, mode: str) -> Path:
    """A .tar.xz or .tar.bz2 of 4 MB of zeros, compressed with gzip again."""
    inner = BytesIO()
    with tarfile.open(fileobj=inner, mode=mode) as archive:  # type: ignore[call-overload]
        member = tarfile.TarInfo("model_index.json")
        member.size = 4 << 20
        archive.addfile(member, BytesIO(bytes(member.size)))
    path.write_bytes(gzip.compress(inner.getvalue()))
    return path


@contextmanager
def limited_memory(more_bytes: int = 1 << 30) -> Iterator[None]:
    """Limits the address space to this much more than now; an allocation beyond raises MemoryError."""
    now = int(_STATM.read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + more_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


PICKLES: tuple[Callable[[Path], Path], ...] = (
    nested_tuple_key, nested_tuple_function, large_bytearray, expanding_encoding, large_integer, long_key,
    many_opcodes, large_pickle, compressed_pickle, many_tensors, many_records, large_directory,
    tensor_without_data, views_of_one_storage, shared_parameters, parameters_with_a_nested_tuple,
)  # fmt: skip
