"""docs/api.md: its commands, and whether it documents every name of the API."""

import json
import re
import shutil
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest
from pydantic import BaseModel

from contract.options import ControlNet, Hires, Lora, MetadataMode, Outpaint, OutputFormat, Upscale
from contract.problem import ErrorCode, FieldError, Problem
from contract.progress import Phase
from contract.result import ResultDetails
from contract.safety import SafetyMode, SafetyReport
from contract.submission import JobSubmission, WebhookEvent
from jobs.adapters import AdapterType
from jobs.http.routes.adapters import AdapterListQuery
from jobs.http.routes.job_list import JobList, JobListQuery
from jobs.http.views.adapters import AdapterList, AdapterView
from jobs.http.views.job import JobImage, JobLinks, JobPreview, JobView
from jobs.http.views.upload import UploadView
from jobs.lifecycle import JobStatus
from jobs.uploads import UploadRequest
from tests.conftest import ROOT
from tests.examples.conftest import sizes
from tests.examples.console import run_commands, sections

DOCUMENT = ROOT / "docs" / "api.md"
SECTIONS = sections(DOCUMENT)


def quoted(section: str) -> set[str]:
    """The names in backticks; `links.self` counts as `links` and `self`."""
    return {
        name for text in re.findall(r"`([^`\n]+)`", SECTIONS[section]) for name in re.findall(r"\w+", text)
    }


@pytest.mark.parametrize(
    ("section", "model"),
    [
        *(("Request", model) for model in (JobSubmission, ControlNet, Hires, Lora, Outpaint, Upscale)),
        *(("Job", model) for model in (JobView, JobImage, JobLinks, JobPreview, ResultDetails, SafetyReport)),
        *(("Listing", model) for model in (JobListQuery, JobList)),
        *(("Listing adapters", model) for model in (AdapterListQuery, AdapterList, AdapterView)),
        *(("Uploads", model) for model in (UploadRequest, UploadView)),
        *(("Errors", model) for model in (Problem, FieldError)),
    ],
)
def test_every_field_is_documented(section: str, model: type[BaseModel]) -> None:
    assert {*model.model_fields} - quoted(section) == set()


@pytest.mark.parametrize(
    ("section", "names"),
    [
        ("Request", OutputFormat),
        ("Request", WebhookEvent),
        ("Metadata in files", MetadataMode),
        ("NSFW filter and watermark", SafetyMode),
        ("Job", JobStatus),
        ("Job", Phase),
        ("Listing adapters", AdapterType),
        ("Errors", ErrorCode),
    ],
)
def test_every_value_is_documented(section: str, names: type[StrEnum]) -> None:
    assert {*names} - quoted(section) == set()


def test_every_operation_is_documented() -> None:
    operations = {f"`{method} {path}`" for method, path, tag in operations_with_tags() if tag == "Jobs"}
    assert len(operations) == 12
    assert {each for each in operations if each not in SECTIONS["Endpoints"]} == set()


def test_every_path_of_the_compatible_apis_is_documented() -> None:
    document = (ROOT / "docs" / "compatible-apis.md").read_text()
    paths = {path for _, path, tag in operations_with_tags() if tag != "Jobs"}
    below = {re.sub("^(/sdapi|/replicate)?/v1", "", path) for path in paths}
    assert len(below) > 30
    assert {path for path in below if f"{path}`" not in document} == set()


def operations_with_tags() -> Iterator[tuple[str, str, str]]:
    """The method, the path and the tag of every operation."""
    paths = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            (tag,) = operation["tags"]
            yield method.upper(), path.replace("{job_id}", "{id}"), tag


def test_every_error_code_has_its_http_status() -> None:
    statuses = dict(re.findall(r"^\| `(\w+)` \| (\d{3}) \|", SECTIONS["Errors"], re.MULTILINE))
    assert len(statuses) == 18
    assert {code: str(Problem.of(ErrorCode(code), "").status) for code in statuses} == statuses


def test_every_internal_link_has_a_heading() -> None:
    text = DOCUMENT.read_text()
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) - anchors == set()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_examples_save_cancel_delete_and_upload(environment: dict[str, str], tmp_path: Path) -> None:
    variables = environment | {
        "API": environment["STABLE_DIFFUSION_API_URL"],
        "KEY": environment["STABLE_DIFFUSION_API_KEY"],
    }
    done = run_commands(SECTIONS["Examples"], tmp_path, variables)
    assert done.returncode == 0, done.stderr
    assert sizes(tmp_path) == [(128, 128)] * 5  # with the mask
    assert done.stdout == "canceled\nsucceeded\n"
