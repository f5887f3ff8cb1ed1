"""Models in Replicate's form."""

from jobs.compatibility.replicate.models import ReplicateModel, ReplicateVersion, version_of
from tests.jobs.fakes import DEMO


def test_versions_are_hashes_that_differ_by_model() -> None:
    assert len(version_of("demo")) == 64
    assert version_of("demo") != version_of("other")


def test_a_version_describes_the_input_and_a_list_of_images_that_is_not_streamed() -> None:
    schemas = ReplicateVersion.of(DEMO).openapi_schema["components"]["schemas"]
    assert {"prompt", "num_outputs", "width"} <= schemas["Input"]["properties"].keys()
    assert schemas["Output"]["type"] == "array"
    assert "x-cog-array-type" not in schemas["Output"]
    assert "Lora" in schemas


def test_a_model_has_the_requested_owner() -> None:
    model = ReplicateModel.of(DEMO, address="https://api.example.com/replicate/v1", owner="anyone")
    assert (model.owner, model.name) == ("anyone", "demo")
    assert model.url == "https://api.example.com/replicate/v1/models/anyone/demo"
    assert model.latest_version.id == version_of("demo")
