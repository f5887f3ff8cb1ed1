"""Images in OpenAI's form."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from contract.result import ImageResult
from jobs.compatibility.openai.answer import MAX_BYTES, OpenAIImages, TooLargeForResponseError
from jobs.compatibility.openai.request import ResponseFormat
from jobs.errors import JobNotFoundError
from jobs.job import Job
from tests.jobs.fakes import InMemoryDocuments, a_job

FILES = {"s3://data/outputs/0.png": b"first", "s3://data/outputs/1.png": b"second"}


def image(index: int, *, withheld: bool = False) -> ImageResult:
    uri = None if withheld else f"s3://data/outputs/{index}.png"
    return ImageResult(s3_uri=uri, seed=7 + index, width=512, height=768, sha256=None)


def succeeded(*images: ImageResult, **request: Any) -> Job:
    return replace(a_job(count=2, **request), images=images)


def view(job: Job, response_format: ResponseFormat, files: dict[str, bytes] = FILES) -> Any:
    return OpenAIImages.of(job, response_format, InMemoryDocuments(files=files)).model_dump(mode="json")


def test_files_are_in_base64() -> None:
    job = succeeded(image(0), image(1), output_format="webp")
    assert view(job, ResponseFormat.B64_JSON) == {
        "id": job.id,
        "created": int(job.created_at.timestamp()),
        "background": "opaque",
        "output_format": "webp",
        "size": "512x768",
        "data": [
            {
                "b64_json": base64.b64encode(content).decode(),
                "url": None,
                "revised_prompt": None,
                "seed": seed,
            }
            for content, seed in ((b"first", 7), (b"second", 8))
        ],
    }


def test_links_are_made_without_reading_the_files() -> None:
    (only,) = view(succeeded(image(0)), ResponseFormat.URL, {})["data"]
    assert (only["url"], only["b64_json"]) == ("https://signed/data/outputs/0.png", None)


def test_withheld_images_are_left_out() -> None:
    data = view(succeeded(image(0, withheld=True), image(1)), ResponseFormat.B64_JSON)["data"]
    assert [each["seed"] for each in data] == [8]


def test_a_job_whose_files_were_deleted_is_not_found() -> None:
    with pytest.raises(JobNotFoundError):
        view(succeeded(image(0)), ResponseFormat.B64_JSON, {})


def test_images_that_do_not_fit_in_a_response_are_refused_with_the_remedies() -> None:
    half = bytes(MAX_BYTES // 2)
    files = dict.fromkeys(FILES, half)
    assert len(view(succeeded(image(0), image(1)), ResponseFormat.B64_JSON, files)["data"]) == 2
    files["s3://data/outputs/1.png"] = half + bytes(1)
    with pytest.raises(TooLargeForResponseError, match=r"response_format url, .* output_format jpeg"):
        view(succeeded(image(0), image(1)), ResponseFormat.B64_JSON, files)
