import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from contract.model import ModelDeclaration
from inference.diffusion import device as module
from inference.diffusion.device import NoUsableGpuError, check_device, driver_version
from tests.inference.container_process import ContainerProcess
from tests.waiting import wait_until

REPORTS = {
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024": "535.183.01",
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (a@b)": "580.95.05",
    "GCC version:  gcc version 11.4.1 20230605": None,
}


@pytest.mark.parametrize(("report", "version"), REPORTS.items())
def test_the_version_of_the_driver_is_read_from_its_report(
    tmp_path: Path, report: str, version: str | None
) -> None:
    file = tmp_path / "version"
    file.write_text(f"{report}\nGCC version:  gcc version 11.4.1\n")
    assert driver_version(file) == version


def test_without_a_driver_there_is_no_version(tmp_path: Path) -> None:
    assert driver_version(tmp_path / "absent") is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_an_instance_type_with_a_gpu_that_cannot_be_used_is_refused_with_the_reason() -> None:
    with pytest.raises(NoUsableGpuError) as refused:
        check_device(["ml.g5.xlarge", "ml.g6.xlarge"])
    message = str(refused.value)
    assert message.startswith("gpu_instance_types: an instance of type ml.g5.xlarge or ml.g6.xlarge has a")
    assert torch.__version__ in message
    assert str(refused.value.__cause__) in message
    assert "NVIDIA_VISIBLE_DEVICES" in message
    assert "InferenceAmiVersion" in message


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_the_cpu_its_dtype_and_the_libraries_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, module.__name__):
        check_device([])
    (record,) = caplog.records
    assert record.getMessage() == "models run on the CPU"
    assert record.__dict__["dtype"] == "float32"
    assert torch.__version__.startswith(record.__dict__["libraries"]["torch"])
    assert set(record.__dict__["libraries"]) == {"torch", "diffusers", "transformers", "safetensors"}


def test_the_gpu_its_driver_and_its_memory_are_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    properties = SimpleNamespace(name="NVIDIA A10G", major=8, minor=6, total_memory=24 << 30)
    monkeypatch.setattr(module, "default_device_and_dtype", lambda: (torch.device("cuda"), torch.bfloat16))
    monkeypatch.setattr(module, "driver_version", lambda: "580.95.05")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: properties)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (23 << 30, 24 << 30))
    with caplog.at_level(logging.INFO, module.__name__):
        check_device([])
    (record,) = caplog.records
    assert record.getMessage() == "models run on NVIDIA A10G"
    logged = {
        "dtype": "bfloat16",
        "compute_capability": "8.6",
        "memory_gib": 24,
        "free_memory_gib": 23,
        "driver": "580.95.05",
        "cuda": torch.version.cuda,
    }
    assert logged.items() <= record.__dict__.items()


@pytest.mark.parametrize(
    ("name", "capability", "is_refused"),
    [("A10G", (8, 6), True), ("L4", (8, 9), False), ("H100", (9, 0), False), (None, (0, 0), True)],
)
def test_fp8_is_refused_on_devices_without_it(
    monkeypatch: pytest.MonkeyPatch, name: str | None, capability: tuple[int, int], is_refused: bool
) -> None:
    major, minor = capability
    properties = SimpleNamespace(name=f"NVIDIA {name}", major=major, minor=minor, total_memory=24 << 30)
    device = torch.device("cuda" if name else "cpu")
    monkeypatch.setattr(module, "default_device_and_dtype", lambda: (device, torch.bfloat16))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: properties)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (23 << 30, 24 << 30))
    if not is_refused:
        check_device([], quantization="fp8")
        return
    found = f"NVIDIA {name} has {major}.{minor}" if name else "models run on the CPU here"
    with pytest.raises(NoUsableGpuError, match=rf"quantization: fp8 needs .* 8\.9 or higher.* but {found};"):
        check_device([], quantization="fp8")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_container_without_the_gpu_of_its_instance_type_loads_no_model(tmp_path: Path) -> None:
    container = ContainerProcess(
        tmp_path / "log",
        variables={},
        model=ModelDeclaration(name="demo"),
        model_directory=str(tmp_path),
        gpu_instance_types=("ml.g5.xlarge",),
    )
    try:
        wait_until(lambda: "NoUsableGpuError" in container.log.read_text())
        wait_until(lambda: container.http.get("/ping").json()["code"] == "model_load_failed")
    finally:
        container.end()
