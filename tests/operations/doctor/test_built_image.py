from pathlib import Path

import pytest

from infra import image
from infra.config import CodeBuildImage, DockerImage
from infra.image import AMI_VERSIONS
from operations.doctor.built_image import BuiltImage
from operations.doctor.check import Status


@pytest.mark.parametrize(
    ("source", "builder"),
    [(CodeBuildImage(), "AWS CodeBuild"), (DockerImage(source="docker"), "local Docker")],
)
def test_the_builder_and_the_host_ami_are_reported(
    source: CodeBuildImage | DockerImage, builder: str
) -> None:
    result = BuiltImage(source).run()
    assert result.status is Status.PASS
    assert builder in result.message
    assert any(version in result.message for version in AMI_VERSIONS.values())


@pytest.mark.parametrize(
    ("lock", "message"),
    [
        (None, "requirements.lock"),
        ("torch==2.13.0\n", "does not pin nvidia-cuda-runtime"),
        ("nvidia-cuda-runtime==14.0.1\n", "pins CUDA 14; SageMaker has host AMIs for CUDA 12 or 13"),
    ],
    ids=["missing", "without CUDA", "CUDA without a host AMI"],
)
def test_an_image_without_a_host_ami_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str | None, message: str
) -> None:
    path = tmp_path / "requirements.lock"
    if lock is not None:
        path.write_text(lock)
    monkeypatch.setattr(image, "_LOCK", path)
    result = BuiltImage(CodeBuildImage()).run()
    assert result.status is Status.FAIL
    assert message in result.message
    assert "make lock" in result.remedy
