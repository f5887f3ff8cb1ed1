from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contract.manifest import OriginalModel
from inference.models.conversion import sources
from inference.models.conversion.sources import FetchedModel, fetch_source
from inference.models.errors import UnusableModelError
from inference.models.manifests import directory_sha256, file_sha256, list_files
from inference.transfer.errors import TransferError
from inference.transfer.huggingface import HubError, fetch_model
from tests.inference.models.archive_files import pack
from tests.inference.transfer.hub_server import REPOSITORY, REVISION, FakeHub


@pytest.mark.parametrize(("name", "form"), [("a.safetensors", "single_file"), ("a.tar.gz", "archive")])
def test_a_local_file_is_described(tmp_path: Path, s3: Any, name: str, form: Any) -> None:
    path = pack(tmp_path / name, a=b"1")
    original = OriginalModel(form=form, source=name, sha256=file_sha256(path))
    assert fetch_source(str(path), tmp_path / "scratch", s3) == FetchedModel(path, original)


def test_a_local_directory_is_described(tmp_path: Path, s3: Any, model: Path) -> None:
    original = OriginalModel(form="directory", source="demo", sha256=directory_sha256(list_files(model)))
    assert fetch_source(str(model), tmp_path / "scratch", s3) == FetchedModel(model, original)


def test_a_file_in_s3_is_downloaded(tmp_path: Path, s3: Any) -> None:
    s3.put_object(Bucket="models", Key="a.ckpt", Body=b"1")
    fetched = fetch_source("s3://models/a.ckpt", tmp_path / "scratch", s3)
    assert fetched.path.read_bytes() == b"1"
    assert (fetched.original.form, fetched.original.source) == ("single_file", "s3://models/a.ckpt")


def test_a_model_of_the_hub_is_downloaded_and_described_by_its_commit(
    tmp_path: Path, s3: Any, demo_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeHub.of(demo_model).running() as hub:
        monkeypatch.setattr(sources, "fetch_model", partial(fetch_model, endpoint=hub.url))
        fetched = fetch_source(f"{REPOSITORY}@{REVISION}", tmp_path / "scratch", s3)
    assert (fetched.path / "model_index.json").is_file()
    assert (fetched.original.form, fetched.original.source) == ("huggingface", REPOSITORY)
    assert fetched.original.revision == REVISION


def test_a_repository_that_does_not_exist_is_refused(
    tmp_path: Path, s3: Any, demo_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeHub.of(demo_model).running() as hub:
        monkeypatch.setattr(sources, "fetch_model", partial(fetch_model, endpoint=hub.url))
        with pytest.raises(HubError, match="no-one/nothing does not exist, or is private"):
            fetch_source(f"no-one/nothing@{REVISION}", tmp_path / "scratch", s3)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere", "nowhere does not exist; give a path, an s3:// URI, or owner/name@commit"),
        ("owner/name@main", "owner/name@main is neither a path nor a model on the Hugging Face Hub"),
        ("s3://models", "s3://models is not a valid S3 URI: it must look like s3://bucket/key"),
    ],
)
def test_an_invalid_source_is_refused(tmp_path: Path, s3: Any, source: str, message: str) -> None:
    with pytest.raises(UnusableModelError, match=message):
        fetch_source(source, tmp_path / "scratch", s3)


@pytest.mark.parametrize("source", ["s3://models/none", "s3://models/none.ckpt"])
def test_a_source_that_is_missing_in_s3_is_named(tmp_path: Path, s3: Any, source: str) -> None:
    with pytest.raises(TransferError, match=f"{source}/? does not exist"):
        fetch_source(source, tmp_path / "scratch", s3)
