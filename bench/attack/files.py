"""Hostile files in the models bucket, and jobs that name them."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.attack.jobs import JOBS, TINY_JOB, Cost, attack, container_of
from contract.adapters import EMBEDDING, LORA, UPSCALER, AdapterKind
from local.stack import LocalStack
from tests.inference.diffusion.upscaling import hostile_upscalers
from tests.inference.models import hostile_files

_MAX_COPIED_BYTES = 4 << 20


@dataclass(frozen=True)
class HostileFile:
    """A hostile adapter.

    Attributes:
        kind: of the adapter.
        suffix: of the file.
        write: writes the file.
    """

    kind: AdapterKind
    suffix: str
    write: Callable[[Path], Path]

    def fields(self, name: str) -> dict[str, Any]:
        """The fields of a request that name the adapter."""
        if self.kind is UPSCALER:
            return {"upscale": {"scale": 2.0, "upscaler": name}}
        return {"loras": [{"name": name}]} if self.kind is LORA else {"embeddings": [name]}


def _embedding(write: Callable[[Path], Path]) -> HostileFile:
    return HostileFile(EMBEDDING, ".pt", write)


def _many_tensors(path: Path) -> Path:
    tensor = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}
    return hostile_files.safetensors_with_header(path, {f"{number:06}": tensor for number in range(10**6)})


def _many_loras(path: Path) -> Path:
    tensor = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}
    names = (f"unet.a{number}.lora_{half}.weight" for number in range(49_000) for half in "AB")
    return hostile_files.safetensors_with_header(path, dict.fromkeys(names, tensor))


FILES: Mapping[str, HostileFile] = {
    "checkpoint that contains itself": _embedding(hostile_files.self_containing),
    "embedding with a stride of 0": _embedding(hostile_files.tensor_without_data),
    "call of bytearray(2 GB)": _embedding(hostile_files.large_bytearray),
    "key that is a nested tuple": _embedding(hostile_files.nested_tuple_key),
    "30 MB of opcodes, compressed": _embedding(hostile_files.compressed_pickle),
    "5 million opcodes": _embedding(hostile_files.many_opcodes),
    "1.3 million names of classes": _embedding(hostile_files.ignored_classes),
    "upscaler without data": HostileFile(
        UPSCALER, ".pth", lambda path: hostile_upscalers.without_data(path.parent).path
    ),
    "upscaler with a block of number 1,000,000": HostileFile(
        UPSCALER, ".safetensors", lambda path: hostile_upscalers.with_many_blocks(path.parent).path
    ),
    "upscaler with a layer of 8,192 channels": HostileFile(
        UPSCALER, ".safetensors", lambda path: hostile_upscalers.with_a_wide_layer(path.parent).path
    ),
    "LoRA of a million tensors": HostileFile(LORA, ".safetensors", _many_tensors),
    "LoRA of 98,000 tensors": HostileFile(LORA, ".safetensors", _many_loras),
}


def attack_with_file(stack: LocalStack, file: HostileFile, *, jobs: int = JOBS) -> tuple[int, Cost]:
    """Submits jobs that name the file, and a good job behind them; see `attack`.

    Each job has a copy of its own, unless the file has more than 4 MiB: errors are cached for each file.

    Returns:
        The file's size in bytes, and the cost.
    """
    with tempfile.TemporaryDirectory() as directory:
        data = file.write(Path(directory, f"hostile{file.suffix}")).read_bytes()
    s3, bucket = stack.aws.client("s3"), container_of(stack).environment["MODELS_BUCKET_NAME"]
    copies = jobs if len(data) <= _MAX_COPIED_BYTES else 1
    names = [f"hostile-{number}" for number in range(copies)]
    keys = [f"{file.kind.prefix}{name}{file.suffix}" for name in names]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=data)
    try:
        requests = [{**TINY_JOB, **file.fields(names[number % copies])} for number in range(jobs)]
        return len(data), attack(stack, requests)
    finally:
        for key in keys:
            s3.delete_object(Bucket=bucket, Key=key)
