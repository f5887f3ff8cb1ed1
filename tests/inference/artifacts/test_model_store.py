import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contract.environment import ContainerEnvironment
from contract.identifiers import S3Location
from contract.model import ModelDeclaration, ServedModel
from contract.source import HubSource, S3Source
from inference.artifacts.model_store import ModelStore, with_checker_here
from inference.transfer.errors import TransferError
from inference.transfer.huggingface import HubError
from inference.transfer.s3 import fetch_prefix
from tests.inference.fake_engine import BUCKET
from tests.inference.transfer.hub_server import REPOSITORY, REVISION, FakeHub

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


class CountedFetch:
    """Writes a file, when `gate` is open; what it is asked for is in `prefixes`."""

    def __init__(self) -> None:
        self.prefixes: list[S3Location] = []
        self.begun = threading.Event()
        self.gate = threading.Event()

    def __call__(self, prefix: S3Location, directory: Path) -> None:
        self.prefixes.append(prefix)
        self.begun.set()
        assert self.gate.wait(20), "the test never opened the gate"
        directory.mkdir(parents=True)
        (directory / INDEX).touch()


@pytest.fixture
def hub(demo_model: Path) -> Iterator[FakeHub]:
    with FakeHub.of(demo_model).running() as hub:
        yield hub


def library(
    s3: Any, directory: Path, environment: ContainerEnvironment = ENVIRONMENT, hub: FakeHub | None = None
) -> ModelStore:
    return ModelStore(
        environment, directory, fetch_prefix=partial(fetch_prefix, s3), hub=hub.url if hub else None
    )


def test_what_sagemaker_has_fetched_is_taken_as_it_is(s3: Any, tmp_path: Path) -> None:
    assert library(s3, tmp_path).path("demo") == Path("/opt/ml/model")
    assert list(tmp_path.iterdir()) == []


def test_companions_come_from_the_models_bucket_or_wherever_they_lie(s3: Any, tmp_path: Path) -> None:
    for key, content in (("near/model_index.json", b"near"), ("teams/apart/v3/model_index.json", b"apart")):
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    models = library(s3, tmp_path)
    assert [(models.path(name) / INDEX).read_text() for name in ("near", "apart")] == ["near", "apart"]


def test_companions_and_the_first_model_come_from_the_hub(s3: Any, tmp_path: Path, hub: FakeHub) -> None:
    assert (library(s3, tmp_path, hub=hub).path("far") / INDEX).read_bytes() == hub.files[INDEX]
    first = ENVIRONMENT.model_copy(update={"model_source": ENVIRONMENT.companions[2].source})
    assert (library(s3, tmp_path / "other", first, hub).path("demo") / INDEX).read_bytes() == hub.files[INDEX]


def test_callers_at_once_wait_for_one_download_and_others_do_not(tmp_path: Path) -> None:
    fetch = CountedFetch()
    models = ModelStore(ENVIRONMENT, tmp_path, fetch_prefix=fetch)
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(models.path, "near") for _ in range(4)]
        assert fetch.begun.wait(10)
        assert models.path("demo") == Path("/opt/ml/model")
        assert not any(each.done() for each in waiting)
        fetch.gate.set()
    assert {each.result() for each in waiting} == {tmp_path / "near"}
    assert models.path("near") == tmp_path / "near"
    assert fetch.prefixes == [S3Location(BUCKET, "near/")]


def test_what_could_not_be_fetched_is_told_in_a_sentence_and_tried_again(s3: Any, tmp_path: Path) -> None:
    models = library(s3, tmp_path)
    with pytest.raises(TransferError, match=f"s3://{BUCKET}/near/ does not exist"):
        models.path("near")
    s3.put_object(Bucket=BUCKET, Key="near/model_index.json", Body=b"near")
    assert (models.path("near") / INDEX).read_text() == "near"


def test_a_repository_that_is_not_there_is_told_in_a_sentence(s3: Any, tmp_path: Path, hub: FakeHub) -> None:
    nothing = ServedModel(name="far", source=HubSource(id="nobody/nothing", revision=REVISION))
    environment = ENVIRONMENT.model_copy(update={"companions": (nothing,)})
    with pytest.raises(HubError, match="nobody/nothing does not exist, or is private"):
        library(s3, tmp_path, environment, hub).path("far")


def test_a_safety_checker_in_s3_is_fetched_and_a_directory_is_taken_as_it_is(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="adapters/safety_checkers/strict/config.json", Body=b"{}")
    fetch = partial(fetch_prefix, s3)
    for given, expected in (
        (f"s3://{BUCKET}/adapters/safety_checkers/strict/", str(tmp_path)),
        ("/opt/checker", "/opt/checker"),
        (None, None),
    ):
        environment = ENVIRONMENT.model_copy(update={"safety_checker": given})
        here = with_checker_here(environment, tmp_path, fetch_prefix=fetch)
        assert here == environment.model_copy(update={"safety_checker": expected})
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_a_models_weight_is_that_of_the_files_that_are_loaded(s3: Any, tmp_path: Path) -> None:
    for key, size in (("near/unet/a.safetensors", 30), ("near/vae/b.safetensors", 12), ("near/c.json", 5)):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x" * size)
    assert library(s3, tmp_path).weight_bytes("near") == 42
    s3.put_object(Bucket=BUCKET, Key="teams/apart/v3/unet/a.safetensors", Body=b"x" * 30)
    s3.put_object(Bucket=BUCKET, Key="teams/apart/v3/unet/a.fp16.safetensors", Body=b"x" * 15)
    assert library(s3, tmp_path).weight_bytes("apart") == 15
