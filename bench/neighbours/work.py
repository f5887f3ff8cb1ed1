"""The work of the container's other threads, as functions that do one piece of it."""

import json
from collections.abc import Callable
from functools import partial

from PIL import Image

from contract.generation import Generation
from contract.identifiers import S3Location, new_job_id
from contract.model import ModelDeclaration
from contract.options import OutputFormat
from contract.progress import Phase, Progress
from contract.request import InvocationRequest, JobRequest
from contract.validation import parse_request
from inference.data_bucket import DataBucket
from inference.output.encoding import encode
from inference.output.image_metadata import ImageMetadata, Provenance
from inference.output.open_nsfw import OpenNsfw
from inference.output.watermark import Watermark

Work = Callable[[], object]

MODEL = ModelDeclaration(name="bench")
REQUEST = JobRequest(
    prompt="a lighthouse on a cliff at dusk, (oil painting:1.2), dramatic sky",
    seed=1,
    steps=20,
    width=512,
    height=512,
)
_PROVENANCE = Provenance(revision="0" * 40, versions={"diffusers": "0", "torch": "0", "transformers": "0"})
_QUALITY = 90


def kinds_of_work(image: Image.Image, bucket: DataBucket) -> dict[str, Work]:
    """The pieces of work by their names in the table."""
    generation = Generation.resolve(REQUEST, MODEL, job_id=new_job_id(), seed=1)
    metadata = ImageMetadata.of(generation, 0, size=image.size, provenance=_PROVENANCE)
    png = encode(image, OutputFormat.PNG, _QUALITY, metadata)
    location, progress = (
        S3Location("bench", "a/0.png"),
        Progress(phase=Phase.DENOISING, step=1, total_steps=20),
    )
    return {
        "pure Python": _pure_python,
        "request": _resolve,
        "metadata": partial(ImageMetadata.of, generation, 0, size=image.size, provenance=_PROVENANCE),
        **{each.value.upper(): partial(encode, image, each, _QUALITY, metadata) for each in OutputFormat},
        "watermark": partial(Watermark("made with a benchmark").apply, image),
        "open_nsfw": partial(OpenNsfw().is_nsfw, image),
        "upload of a PNG": partial(bucket.store_image, location, png, "image/png"),
        "progress document": partial(bucket.store_progress, generation.id, progress),
        "poll for a cancellation": partial(bucket.is_canceled, generation.id),
    }


def _pure_python() -> int:
    document = {"a": list(range(50)), "b": {"c": "x" * 50}}
    return sum(len(json.dumps(json.loads(json.dumps(document)))) for _ in range(20))


def _resolve() -> Generation:
    body = REQUEST.model_dump_json(exclude_unset=True)
    request = parse_request(InvocationRequest, body, lambda _name: MODEL)
    return Generation.resolve(request, MODEL, job_id=new_job_id(), seed=1)
