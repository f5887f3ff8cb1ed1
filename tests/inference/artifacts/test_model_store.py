import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contract.environment import ContainerEnvironment
from contract.family import Family
from contract.identifiers import S3Location
from contract.manifest import MANIFEST, ModelManifest, OriginalModel
from contract.model import ModelDeclaration, ServedModel
from contract.source import HubSource, S3Source
from inference.artifacts.model_store import ModelStore, with_local_safety_checker
from inference.transfer.errors import TransferError
from inference.transfer.huggingface import HubError
from inference.transfer.s3 import fetch_prefix
from tests.inference.fake_engine import BUCKET
from tests.inference.transfer.hub_server import REPOSITORY, REVISION, FakeHub
from tests.waiting import LIMIT_S

ENVIRONMENT = ContainerEnvironment(
    model=ModelDeclaration(name="demo"),
    data_bucket_name="data",
    models_bucket_name=BUCKET,
    model_directory="/opt/ml/model",
    companions=(
        ServedModel(name="near"),
        ServedModel(name="apart", source=S3Source(uri=f"s3://{BUCKET}/teams/apart/v3/")),
        ServedModel(name="far", source=HubSource(id=REPOSITORY, revision=REVISION)),
    ),
)
INDEX = "model_index.json"


class GatedFetch:
    """Writes a model once `gate` is set; records the prefixes and sets `begun` when it is called."""

    def __init__(self) -> None:
        self.prefixes: list[S3Location] = []
        self.begun = threading.Event()
        self.gate = threading.Event()

    def __call__(self, prefix: S3Location, directory: Path) -> None:
        self.prefixes.append(prefix)
        self.begun.set()
        assert self.gate.wait(LIMIT_S)
        directory.mkdir(parents=True)
        (directory / INDEX).touch()


@pytest.fixture
def hub(demo_model: Path) -> Iterator[FakeHub]:
    with FakeHub.of(demo_model).running() as hub:
        yield hub


def create_store(
    s3: Any, directory: Path, environment: ContainerEnvironment = ENVIRONMENT, hub: FakeHub | None = None
) -> ModelStore:
    return ModelStore(
        environment, directory, fetch_prefix=partial(fetch_prefix, s3), hub=hub.url if hub else None
    )


def test_the_model_directory_of_sagemaker_is_used_as_it_is(s3: Any, tmp_path: Path) -> None:
    assert create_store(s3, tmp_path).fetch("demo") == Path("/opt/ml/model")
    assert list(tmp_path.iterdir()) == []


def test_companions_are_fetched_from_the_models_bucket_or_their_own_uri(s3: Any, tmp_path: Path) -> None:
    for key, content in (("near/model_index.json", b"near"), ("teams/apart/v3/model_index.json", b"apart")):
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    models = create_store(s3, tmp_path)
    assert [(models.fetch(name) / INDEX).read_text() for name in ("near", "apart")] == ["near", "apart"]


def test_companions_and_the_first_model_are_fetched_from_the_hub(
    s3: Any, tmp_path: Path, hub: FakeHub
) -> None:
    assert (create_store(s3, tmp_path, hub=hub).fetch("far") / INDEX).read_bytes() == hub.files[INDEX]
    first = ENVIRONMENT.model_copy(update={"model_source": ENVIRONMENT.companions[2].source})
    assert (create_store(s3, tmp_path / "other", first, hub).fetch("demo") / INDEX).read_bytes() == hub.files[
        INDEX
    ]


def test_simultaneous_calls_for_a_model_share_one_download_and_other_models_do_not_wait(
    tmp_path: Path,
) -> None:
    fetch = GatedFetch()
    models = ModelStore(ENVIRONMENT, tmp_path, fetch_prefix=fetch)
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(models.fetch, "near") for _ in range(4)]
        assert fetch.begun.wait(LIMIT_S)
        assert models.fetch("demo") == Path("/opt/ml/model")
        assert not any(each.done() for each in waiting)
        fetch.gate.set()
    assert {each.result() for each in waiting} == {tmp_path / "near"}
    assert models.fetch("near") == tmp_path / "near"
    assert fetch.prefixes == [S3Location(BUCKET, "near/")]


def test_a_failed_download_is_retried_by_the_next_call(s3: Any, tmp_path: Path) -> None:
    models = create_store(s3, tmp_path)
    with pytest.raises(TransferError, match=f"s3://{BUCKET}/near/ does not exist"):
        models.fetch("near")
    s3.put_object(Bucket=BUCKET, Key="near/model_index.json", Body=b"near")
    assert (models.fetch("near") / INDEX).read_text() == "near"


def test_a_repository_that_does_not_exist_is_named(s3: Any, tmp_path: Path, hub: FakeHub) -> None:
    nothing = ServedModel(name="far", source=HubSource(id="someone/nothing", revision=REVISION))
    environment = ENVIRONMENT.model_copy(update={"companions": (nothing,)})
    with pytest.raises(HubError, match="someone/nothing does not exist, or is private"):
        create_store(s3, tmp_path, environment, hub).fetch("far")


def test_a_safety_checker_is_fetched_only_from_s3(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="adapters/safety_checkers/strict/config.json", Body=b"{}")
    fetch = partial(fetch_prefix, s3)
    for given, expected in (
        (f"s3://{BUCKET}/adapters/safety_checkers/strict/", str(tmp_path)),
        ("/opt/checker", "/opt/checker"),
        (None, None),
    ):
        environment = ENVIRONMENT.model_copy(update={"safety_checker": given})
        local = with_local_safety_checker(environment, tmp_path, fetch_prefix=fetch)
        assert local == environment.model_copy(update={"safety_checker": expected})
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_weight_bytes_count_the_files_that_are_loaded(s3: Any, tmp_path: Path) -> None:
    for key, size in (("near/unet/a.safetensors", 30), ("near/vae/b.safetensors", 12), ("near/c.json", 5)):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x" * size)
    assert create_store(s3, tmp_path).weight_bytes("near") == 42
    s3.put_object(Bucket=BUCKET, Key="teams/apart/v3/unet/a.safetensors", Body=b"x" * 30)
    s3.put_object(Bucket=BUCKET, Key="teams/apart/v3/unet/a.fp16.safetensors", Body=b"x" * 15)
    assert create_store(s3, tmp_path).weight_bytes("apart") == 15


def test_the_revision_is_the_commit_or_that_of_the_manifest(s3: Any, tmp_path: Path) -> None:
    original = OriginalModel(form="single_file", source="a", sha256="1" * 64)
    manifest = ModelManifest(family=Family.SD1, original=original)
    s3.put_object(Bucket=BUCKET, Key=f"near/{MANIFEST}", Body=manifest.model_dump_json(exclude_unset=True))
    s3.put_object(Bucket=BUCKET, Key="teams/apart/v3/model_index.json", Body=b"{}")
    models = create_store(s3, tmp_path)
    assert models.revision("far") == REVISION
    assert models.revision("near") == "1" * 64
    assert models.revision("apart") is None
