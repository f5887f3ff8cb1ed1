"""Files that are small, but would take hours or fill the memory if their content were trusted."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from inference.diffusion.adapters.adapter_files import AdapterFileError
from inference.diffusion.prompts.textual_inversion_file import read_textual_inversions
from inference.models.errors import UnusableModelError
from inference.models.formats import SingleFile
from inference.models.pickle_errors import PickleRejectedError, PickleRejection
from inference.models.safe_pickle import read_pickle
from inference.models.safetensors_file import read_header
from inference.models.single_file import single_file_components
from tests.inference.models import hostile_files
from tests.inference.models.hostile_files import limited_memory

REASONS = {
    hostile_files.nested_tuple_key: PickleRejection.UNSUPPORTED_KEYS,
    hostile_files.nested_tuple_function: PickleRejection.DAMAGED,
    hostile_files.parameters_with_a_nested_tuple: PickleRejection.DAMAGED,
    hostile_files.large_integer: PickleRejection.DAMAGED,
    hostile_files.long_key: PickleRejection.UNSUPPORTED_KEYS,
    hostile_files.many_opcodes: PickleRejection.TOO_COMPLEX,
    hostile_files.large_pickle: PickleRejection.TOO_COMPLEX,
    hostile_files.compressed_pickle: PickleRejection.COMPRESSED,
    hostile_files.many_tensors: PickleRejection.TOO_COMPLEX,
    hostile_files.many_records: PickleRejection.TOO_COMPLEX,
    hostile_files.large_directory: PickleRejection.TOO_COMPLEX,
    hostile_files.tensor_without_data: PickleRejection.OVERSIZED,
    hostile_files.views_of_one_storage: PickleRejection.OVERSIZED,
}
HARMLESS = [each for each in hostile_files.PICKLES if each not in REASONS]
"""Those whose calls are not executed, and which are read."""


@pytest.mark.parametrize("write", REASONS, ids=lambda write: write.__name__)
def test_a_hostile_pickle_is_rejected(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    path = write(tmp_path / "model.ckpt")
    with limited_memory(), pytest.raises(PickleRejectedError) as caught:
        read_pickle(path)
    assert caught.value.reason is REASONS[write]


@pytest.mark.parametrize("write", HARMLESS, ids=lambda write: write.__name__)
def test_calls_that_would_fill_the_memory_are_not_executed(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    path = write(tmp_path / "model.ckpt")
    with limited_memory():
        read_pickle(path)


@pytest.mark.parametrize(
    "write",
    [hostile_files.tensor_without_data, hostile_files.views_of_one_storage],
    ids=lambda each: each.__name__,
)
def test_a_legacy_file_without_data_is_rejected(tmp_path: Path, write: Callable[..., Path]) -> None:
    path = write(tmp_path / "model.ckpt", zipped=False)
    with limited_memory(), pytest.raises(PickleRejectedError) as caught:
        read_pickle(path)
    assert caught.value.reason is PickleRejection.OVERSIZED


@pytest.mark.parametrize("write", hostile_files.PICKLES, ids=lambda write: write.__name__)
def test_no_hostile_pickle_raises_another_error_than_that_of_its_use(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    path = write(tmp_path / "model.ckpt")
    with limited_memory(), pytest.raises(UnusableModelError, match=r"model\.ckpt "):
        single_file_components(SingleFile(path))
    with limited_memory(), suppress(AdapterFileError):
        read_textual_inversions(path)


def test_an_adapter_has_fewer_opcodes_than_a_model(tmp_path: Path) -> None:
    path = hostile_files.many_opcodes(tmp_path / "embedding.pt", 250_000)
    assert len(read_pickle(path)) == 250_000
    with pytest.raises(AdapterFileError, match="has too many entries"):
        read_textual_inversions(path)


def test_a_pickle_names_at_most_10_000_classes(tmp_path: Path) -> None:
    assert len(read_pickle(hostile_files.ignored_classes(tmp_path / "few.pt", 10_000))) == 10_000
    with pytest.raises(PickleRejectedError) as caught:
        read_pickle(hostile_files.ignored_classes(tmp_path / "many.pt", 10_001))
    assert caught.value.reason is PickleRejection.TOO_COMPLEX


def test_an_adapter_has_fewer_tensors_than_a_model(tmp_path: Path) -> None:
    empty = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}
    path = tmp_path / "embedding.safetensors"
    hostile_files.safetensors_with_header(path, {str(number): empty for number in range(11_000)})
    assert len(read_header(path).shapes) == 11_000
    with pytest.raises(AdapterFileError, match="has more than 10,000 tensors"):
        read_textual_inversions(path)
