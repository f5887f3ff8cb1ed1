"""A UNet that the compiler's process has compiled: its results, weights and way to other containers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef

from inference.artifacts.compile_cache import S3CompileCache
from inference.diffusion.compilation.compiled_unet import CompiledUNet
from inference.diffusion.compilation.compiler_process import CompilerLimits, CompilerProcess
from inference.diffusion.compilation.package import AotiPackage, PackageError
from inference.diffusion.compilation.packages import Packages
from inference.diffusion.compilation.specification import Specification
from inference.diffusion.compilation.weights import CurrentWeights
from tests.inference.conftest import Log
from tests.inference.diffusion.compilation.calls import call, inputs
from tests.inference.fake_engine import BUCKET
from tests.waiting import wait_until

SAMPLES = 2
pytestmark = pytest.mark.usefixtures("engine_thread_count")


def create_unet() -> Any:
    """A UNet in the shape of Stable Diffusion XL's, which is quick to compile."""
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8,
        down_block_types=("CrossAttnDownBlock2D",),
        up_block_types=("UpBlock2D",),
        block_out_channels=(8,),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=2,
        cross_attention_dim=16,
        addition_embed_type="text_time",
        addition_time_embed_dim=2,
        projection_class_embeddings_input_dim=8 + 6 * 2,
    ).requires_grad_(requires_grad=False)


def specify(unet: Any, samples: int = SAMPLES) -> Specification:
    return Specification.of(unet, CurrentWeights(unet, tuple).layouts, inputs(unet, samples))


@pytest.fixture(scope="module")
def content(engine_thread_count: None) -> bytes:
    """The package of the UNet, which is compiled once for all tests."""
    return CompilerProcess(CompilerLimits(niceness=0)).compile(specify(create_unet()))


@pytest.fixture
def unet() -> Any:
    return create_unet()


@pytest.fixture
def package(content: bytes, unet: Any) -> AotiPackage:
    return AotiPackage(content, frozenset(CurrentWeights(unet, tuple).layouts))


def test_the_compiled_unet_computes_what_the_unet_does(package: AotiPackage, unet: Any) -> None:
    package.bind(CurrentWeights(unet, tuple).views)
    for seed in (SAMPLES, SAMPLES + 1):
        tensors = {name: each[:SAMPLES] for name, each in inputs(unet, seed).items()}
        torch.testing.assert_close(package.run([*tensors.values()]), call(unet, tensors))


def test_no_parameters_are_part_of_the_package_and_no_values_of_any_are_part_of_the_code(
    package: AotiPackage, unet: Any
) -> None:
    """PyTorch would make constants of the smallest, such as the bias of the output."""
    package.bind(CurrentWeights(unet, tuple).views)
    tensors = inputs(unet, SAMPLES)
    for name, parameter in unet.named_parameters():
        before = parameter.clone()
        parameter.copy_(torch.rand_like(parameter))
        torch.testing.assert_close(package.run([*tensors.values()]), call(unet, tensors), msg=name)
        parameter.copy_(before)


def test_replaced_weights_are_used_and_released_when_they_are_put_back(content: bytes, unet: Any) -> None:
    state: list[object] = [()]
    weights = CurrentWeights(unet, lambda: state[0])
    packages = [AotiPackage(content, frozenset(weights.layouts)) for _ in range(2)]
    tensors, original = inputs(unet, SAMPLES), unet.conv_in.weight
    plain = call(unet, tensors)
    for number in range(3):
        unet.conv_in.weight = nn.Parameter(original * (2 + number), requires_grad=False)
        storage = StorageWeakRef(unet.conv_in.weight.untyped_storage())
        state[0] = number
        assert weights.update()
        for package in packages:
            package.bind(weights.views)
            torch.testing.assert_close(package.run([*tensors.values()]), call(unet, tensors))
        assert not storage.expired()
        unet.conv_in.weight = original
        state[0] = ()
        assert weights.update()
        assert storage.expired()
    packages[0].bind(weights.views)
    torch.testing.assert_close(packages[0].run([*tensors.values()]), plain)


def test_a_package_with_other_parameters_is_refused(content: bytes, unet: Any) -> None:
    names = frozenset(CurrentWeights(unet, tuple).layouts)
    for others in (names - {"conv_in.weight"}, names | {"further.bias"}):
        with pytest.raises(
            PackageError, match=r"its parameters are not the UNet's, for example (conv|further)"
        ):
            AotiPackage(content, others)


@pytest.mark.parametrize("damaged", [b"", b"no package", b"PK\x03\x04"])
def test_a_damaged_package_is_refused(damaged: bytes) -> None:
    with pytest.raises(PackageError, match="cannot be loaded"):
        AotiPackage(damaged, frozenset())


def test_packages_leave_no_files(content: bytes, unet: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    AotiPackage(content, frozenset(CurrentWeights(unet, tuple).layouts))
    assert [*tmp_path.iterdir()] == []


def test_a_container_uses_what_another_has_compiled(content: bytes, unet: Any, s3: Any, log: Log) -> None:
    S3CompileCache(s3, BUCKET).write(specify(unet).key, content)

    def compile_(_specification: Specification) -> bytes:
        raise AssertionError("compiled again")

    packages = Packages(S3CompileCache(s3, BUCKET), compile_)
    denoiser = CompiledUNet(unet, packages)
    tensors = inputs(unet, SAMPLES)
    eager = call(denoiser, tensors)
    wait_until(lambda: packages.get(specify(unet)) is not None)
    for _ in range(20):
        torch.testing.assert_close(call(denoiser, tensors), eager)
    assert "the compiled UNet for 2x4x8x8 comes from the cache" in log.text
    assert log.lines_with("compiled_ms")


def test_what_is_damaged_in_the_cache_is_compiled_and_replaced(content: bytes, unet: Any, s3: Any) -> None:
    cache, specification = S3CompileCache(s3, BUCKET), specify(unet)
    cache.write(specification.key, b"no package")
    packages = Packages(cache, lambda _specification: content)
    packages.request(specification)
    wait_until(lambda: packages.get(specification) is not None)
    wait_until(lambda: cache.read(specification.key) == content)


def test_a_specification_is_the_same_in_the_compilers_process(unet: Any) -> None:
    specification = specify(unet)
    assert Specification.from_json(specification.to_json()) == specification
    assert Specification.from_json(specification.to_json()).key == specification.key


def test_specifications_of_other_shapes_threads_and_layouts_have_other_keys(unet: Any) -> None:
    keys = {specify(unet).key, specify(unet, 1).key}
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    keys.add(specify(unet).key)
    torch.set_num_threads(threads)
    unet.to(memory_format=torch.channels_last)
    keys.add(specify(unet).key)
    assert len(keys) == 4
    assert all(key.isascii() and "/" not in key and len(key) < 200 for key in keys)
