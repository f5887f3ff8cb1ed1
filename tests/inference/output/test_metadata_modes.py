"""The metadata of the files that a deployment stores, in each metadata mode."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from contract.generation import Generation
from contract.options import MetadataMode, OutputFormat
from inference.artifacts.adapter_store import AdapterStore
from inference.engine.interface import Adapters
from tests.inference.fake_engine import ENVIRONMENT, FakeEngine, create_handler
from tests.inference.input.image_files import encoded
from tests.inference.output.metadata_reader import parse_parameters, read_generation, read_parameters

HERE, ELSEWHERE = "private-bucket-here", "private-bucket-elsewhere"
IMAGES = {
    "input_image": encoded(Image.new("RGB", (128, 128), "navy")),
    "mask_image": encoded(Image.new("L", (128, 128), "white")),
    "control": encoded(Image.new("RGB", (128, 128), "white")),
}
FORMATS = pytest.mark.parametrize("output_format", [each.value for each in OutputFormat])
MODES = pytest.mark.parametrize("mode", [each.value for each in MetadataMode])


class FakeAdapterStore(AdapterStore):
    """Finds every adapter; the fake engine ignores them."""

    def __init__(self) -> None:
        super().__init__(None, None, Path("nowhere"), max_bytes=0)

    def fetch(self, generation: Generation) -> Adapters:
        return Adapters()


class Deployment:
    """A container with its own bucket; the keys of its inputs differ from those of other deployments."""

    def __init__(self, s3: Any, bucket: str, metadata: str = "full") -> None:
        self._s3 = s3
        self._bucket = bucket
        s3.create_bucket(Bucket=bucket)
        model = ENVIRONMENT.model
        defaults = model.defaults.model_copy(update={"metadata": MetadataMode(metadata)})
        self._environment = ENVIRONMENT.model_copy(
            update={"data_bucket_name": bucket, "model": model.model_copy(update={"defaults": defaults})}
        )

    def upload(self, name: str) -> str:
        key = f"inputs/{self._bucket}-key/{name}"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=IMAGES[name])
        return f"s3://{self._bucket}/{key}"

    def generate(self, engine: FakeEngine, **request: Any) -> bytes:
        """The file that is stored for a request."""
        body = json.dumps({"prompt": "a red circle", "seed": 5, **request}).encode()
        handler = create_handler(engine, self._s3, self._environment, adapters=FakeAdapterStore())
        result = asyncio.run(handler.handle(body))
        key = str(result.images[0].s3_uri).removeprefix(f"s3://{self._bucket}/")
        return bytes(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())

    def inpaint(self, engine: FakeEngine, **request: Any) -> bytes:
        controlnet = {"type": "pose", "image": self.upload("control")}
        return self.generate(
            engine,
            input_image=self.upload("input_image"),
            mask_image=self.upload("mask_image"),
            controlnets=[controlnet],
            **request,
        )


@FORMATS
def test_full_metadata_names_the_input_images_by_the_sha256_of_their_files(
    s3: Any, engine: FakeEngine, output_format: str
) -> None:
    file = Deployment(s3, HERE).inpaint(engine, output_format=output_format)
    input_image, mask, control = (f"sha256:{hashlib.sha256(image).hexdigest()}" for image in IMAGES.values())
    document = read_generation(file)
    assert document is not None
    request = document["request"]
    assert (request["input_image"], request["mask_image"]) == (input_image, mask)
    assert [each["image"] for each in request["controlnets"]] == [control]
    parameters = parse_parameters(str(read_parameters(file)))
    assert (parameters["Init image hash"], parameters["Mask image hash"]) == (input_image, mask)
    assert parameters["Control image 0 hash"] == control


@FORMATS
def test_the_mode_parameters_contains_the_parameters_without_hashes(
    s3: Any, engine: FakeEngine, output_format: str
) -> None:
    file = Deployment(s3, HERE).inpaint(engine, metadata="parameters", output_format=output_format)
    text = read_parameters(file)
    assert text is not None
    assert text.startswith("a red circle\nSteps: ")
    assert parse_parameters(text)["Seed"] == "5"
    assert "hash" not in text
    assert read_generation(file) is None


@FORMATS
def test_the_mode_none_contains_no_metadata(s3: Any, engine: FakeEngine, output_format: str) -> None:
    file = Deployment(s3, HERE).inpaint(engine, metadata="none", output_format=output_format)
    assert (read_parameters(file), read_generation(file)) == (None, None)
    assert not any(
        text in file for text in (b"red circle", b"tEXt", b"iTXt", b"zTXt", b"Exif", b"EXIF", b"xmp")
    )


@MODES
@FORMATS
def test_the_same_request_gives_the_same_file_in_every_deployment(
    s3: Any, engine: FakeEngine, output_format: str, mode: str
) -> None:
    here, elsewhere = Deployment(s3, HERE), Deployment(s3, ELSEWHERE)
    request = {"metadata": mode, "output_format": output_format}
    from_text = [each.generate(engine, **request) for each in (here, elsewhere)]
    assert from_text[0] == from_text[1]
    inpainted = [each.inpaint(engine, **request) for each in (here, elsewhere)]
    assert inpainted[0] == inpainted[1]
    for file in (*from_text, *inpainted):
        assert not any(text in file for text in (b"private-bucket", b"s3:", b"inputs/", b"outputs/"))
        assert not any(text.encode("utf-16-be") in file for text in ("private-bucket", "s3:", "inputs/"))


@MODES
def test_the_deployments_default_applies_to_requests_without_a_mode(
    s3: Any, engine: FakeEngine, mode: str
) -> None:
    file = Deployment(s3, HERE, metadata=mode).generate(engine)
    assert (read_parameters(file) is not None) == (mode != "none")
    assert (read_generation(file) is not None) == (mode == "full")


def test_the_requests_mode_takes_precedence_over_the_deployments(s3: Any, engine: FakeEngine) -> None:
    assert (
        read_generation(Deployment(s3, HERE, metadata="none").generate(engine, metadata="full")) is not None
    )
    assert read_parameters(Deployment(s3, ELSEWHERE).generate(engine, metadata="none")) is None
