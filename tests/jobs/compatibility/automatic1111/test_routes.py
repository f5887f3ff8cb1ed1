"""The operations of the web UI's API, as its clients call them."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contract.environment import WAIT_S
from contract.keys import preview_key
from contract.problem import ErrorCode, FieldError, Problem
from contract.progress import Phase, Progress
from jobs.completion import finish
from jobs.job import Job, Outcome
from jobs.lifecycle import JobStatus
from tests.jobs.compatibility.automatic1111.payloads import IMAGE_TO_IMAGE, MASK, TEXT_TO_IMAGE
from tests.jobs.compatibility.automatic1111.test_png_info import png
from tests.jobs.fakes import BUCKET, InMemoryBackend, a_result
from tests.jobs.http_calls import call

FILE = png(parameters="a red circle\nSteps: 20, Sampler: Euler a, Seed: 7")


def send(method: str, path: str, document: Any = None, **options: Any) -> tuple[int, Any]:
    body = None if document is None else json.dumps(document)
    status, _, answer = call(method, f"/sdapi/v1/{path}", body, **options)
    return status, answer


def text_to_image(**fields: Any) -> tuple[int, Any]:
    return send("POST", "txt2img", {**TEXT_TO_IMAGE, **fields})


def only_job(backend: InMemoryBackend) -> Job:
    (job,) = backend.jobs.jobs.values()
    return job


def finished_while_waiting(backend: InMemoryBackend, file: bytes | None = FILE) -> None:
    """Makes every job succeed while its request waits."""

    def finish_all() -> None:
        for job in list(backend.jobs.jobs.values()):
            if job.invocation is not None and not job.status.is_terminal:
                result = a_result(job.generation)
                backend.documents.responses[job.invocation.output_location] = result
                for image in result.images:
                    if image.s3_uri and file is not None:
                        backend.documents.files[image.s3_uri] = file

    backend.on_sleep = finish_all


def ended_while_waiting(backend: InMemoryBackend, outcome: Outcome) -> None:
    def end() -> None:
        for job in list(backend.jobs.jobs.values()):
            if not job.status.is_terminal:
                finish(backend.changes, job, outcome, backend.now)

    backend.on_sleep = end


def test_images_are_answered_with_their_parameters(deployed: InMemoryBackend) -> None:
    finished_while_waiting(deployed)
    status, answer = text_to_image(seed=7, n_iter=2, prompt="a red circle", negative_prompt="lowres")
    assert status == 200
    assert [base64.b64decode(each) for each in answer["images"]] == [FILE, FILE]
    assert (answer["parameters"]["prompt"], answer["parameters"]["steps"]) == ("a red circle", 20)
    info = json.loads(answer["info"])
    assert info["infotexts"] == ["a red circle\nSteps: 20, Sampler: Euler a, Seed: 7"] * 2
    assert (info["seed"], info["all_seeds"]) == (7, [7, 8])
    assert (info["prompt"], info["negative_prompt"]) == ("a red circle", "lowres")
    assert (info["sampler_name"], info["steps"], info["cfg_scale"]) == ("Euler a", 20, 7.0)
    assert (info["width"], info["height"], info["sd_model_name"]) == (512, 512, "demo")
    assert only_job(deployed).tags == ("automatic1111",)


def test_image_to_image_with_a_mask(deployed: InMemoryBackend) -> None:
    finished_while_waiting(deployed)
    status, answer = send("POST", "img2img", {**IMAGE_TO_IMAGE, "mask": MASK, "inpainting_fill": 1})
    assert (status, len(answer["images"])) == (200, 1)
    assert [each.media_type for each in deployed.documents.images] == ["image/png", "image/png"]
    assert json.loads(answer["info"])["denoising_strength"] == 0.75


def test_images_are_left_out_on_request(deployed: InMemoryBackend) -> None:
    finished_while_waiting(deployed, file=None)
    status, answer = text_to_image(send_images=False, seed=3)
    assert (status, answer["images"], json.loads(answer["info"])["all_seeds"]) == (200, [], [3])


def test_a_request_that_takes_longer_is_repeated_and_joins_its_job(deployed: InMemoryBackend) -> None:
    status, headers, error = call("POST", "/sdapi/v1/txt2img", json.dumps(TEXT_TO_IMAGE))
    assert (status, error["error"], deployed.slept_s) == (503, "still_running", WAIT_S)
    assert int(headers["retry-after"]) >= 1
    finished_while_waiting(deployed)
    status, answer = text_to_image()
    assert (status, len(answer["images"]), len(deployed.jobs.jobs)) == (200, 1, 1)
    text_to_image()
    assert len(deployed.jobs.jobs) == 2


@pytest.mark.parametrize(
    ("outcome", "status", "detail"),
    [
        (Outcome(status=JobStatus.CANCELED), 409, "was canceled"),
        (
            Outcome(status=JobStatus.FAILED, error=Problem.of(ErrorCode.OUT_OF_MEMORY, "Reduce width.")),
            507,
            "Reduce width.",
        ),
    ],
)
def test_a_job_that_fails_is_an_error(
    deployed: InMemoryBackend, outcome: Outcome, status: int, detail: str
) -> None:
    ended_while_waiting(deployed, outcome)
    answered, error = text_to_image()
    assert (answered, error["body"], error["detail"]) == (status, "", error["errors"])
    assert detail in error["detail"]


def test_a_failure_names_the_field_of_the_request(deployed: InMemoryBackend) -> None:
    errors = (FieldError(pointer="#/vae", detail="there is no VAE 'pastel'"),)
    error = Problem.of(ErrorCode.ADAPTER_NOT_FOUND, "There is no VAE 'pastel'.", errors=errors)
    ended_while_waiting(deployed, Outcome(status=JobStatus.FAILED, error=error))
    status, answer = text_to_image(override_settings={"sd_vae": "pastel"})
    assert status == 422
    assert answer["detail"] == [
        {
            "loc": ["body", "override_settings", "sd_vae"],
            "msg": "there is no VAE 'pastel'",
            "type": "value_error",
        }
    ]


def test_a_refused_request_names_all_its_fields_and_submits_nothing(deployed: InMemoryBackend) -> None:
    status, error = text_to_image(tiling=True, restore_faces=True, unknown=1)
    assert (status, error["error"]) == (422, "validation_failed")
    assert [each["loc"] for each in error["detail"]] == [
        ["body", "restore_faces"],
        ["body", "tiling"],
        ["body", "unknown"],
    ]
    assert "tiling" in error["errors"]
    assert not deployed.jobs.jobs


def test_limits_of_the_model_are_refused_under_the_clients_names(deployed: InMemoryBackend) -> None:
    status, error = text_to_image(width=1024, batch_size=5)
    assert status == 422
    assert [each["loc"] for each in error["detail"]] == [["body", "width"], ["body", "batch_size"]]


def test_images_that_do_not_fit_in_an_answer_are_an_error_with_the_remedy(deployed: InMemoryBackend) -> None:
    finished_while_waiting(deployed, bytes(3_000_000))
    assert text_to_image()[0] == 200
    status, error = text_to_image(batch_size=2)
    assert (status, error["error"]) == (413, "payload_too_large")
    assert "samples_format" in error["detail"]
    finished_while_waiting(deployed, bytes(6_000_000))
    assert text_to_image(seed=1)[0] == 413


def test_an_image_that_cannot_be_read_is_an_error(deployed: InMemoryBackend) -> None:
    finished_while_waiting(deployed, None)
    assert text_to_image()[0] == 503


def test_withheld_images_are_left_out_and_all_of_them_are_an_error(deployed: InMemoryBackend) -> None:
    def withhold(count: int) -> Callable[[], None]:
        def end() -> None:
            for job in list(deployed.jobs.jobs.values()):
                images = a_result(job.generation).images
                kept = tuple(each.model_copy(update={"s3_uri": None}) for each in images[:count])
                outcome = Outcome(status=JobStatus.SUCCEEDED, images=(*kept, *images[count:]))
                deployed.documents.files |= {each.s3_uri: FILE for each in images if each.s3_uri}
                if not job.status.is_terminal:
                    finish(deployed.changes, job, outcome, deployed.now)

        return end

    deployed.on_sleep = withhold(1)
    status, answer = text_to_image(batch_size=2, seed=4)
    assert (status, len(answer["images"]), json.loads(answer["info"])["all_seeds"]) == (200, 1, [5])
    deployed.on_sleep = withhold(2)
    status, error = text_to_image(batch_size=2)
    assert (status, error["detail"][0]["loc"]) == (422, ["body", "prompt"])


def test_options_are_those_of_the_caller(deployed: InMemoryBackend) -> None:
    assert send("GET", "options")[1]["sd_model_checkpoint"] == "demo"
    assert send("POST", "options", {"sd_model_checkpoint": "other"}) == (200, None)
    assert send("GET", "options")[1]["sd_model_checkpoint"] == "other"
    assert send("GET", "options", key="another")[1]["sd_model_checkpoint"] == "demo"
    finished_while_waiting(deployed)
    text_to_image()
    assert only_job(deployed).generation.model == "other"


def test_all_options_may_be_sent_back(deployed: InMemoryBackend) -> None:
    _, options = send("GET", "options")
    changed = {**options, "sd_model_checkpoint": "other", "CLIP_stop_at_last_layers": 2}
    assert send("POST", "options", changed) == (200, None)
    assert send("GET", "options")[1] == changed


def test_options_without_effect_are_accepted(deployed: InMemoryBackend) -> None:
    assert send("POST", "options", {"samples_save": False, "sd_checkpoints_limit": 2})[0] == 200


@pytest.mark.parametrize(
    ("options", "status", "name"),
    [
        ({"sd_model_checkpoint": "gone"}, 404, None),
        ({"img2img_fix_steps": True}, 422, "img2img_fix_steps"),
        ({"anything": 1}, 422, "anything"),
        ({"CLIP_stop_at_last_layers": 0}, 422, "CLIP_stop_at_last_layers"),
    ],
)
def test_options_that_cannot_be_had_are_refused_by_name(
    deployed: InMemoryBackend, options: dict[str, Any], status: int, name: str | None
) -> None:
    answered, error = send("POST", "options", options)
    assert answered == status
    assert name is None or error["detail"][0]["loc"] == ["body", name]


def test_settings_of_a_request_are_kept_on_request(deployed: InMemoryBackend) -> None:
    finished_while_waiting(deployed)
    settings = {"sd_model_checkpoint": "other"}
    text_to_image(override_settings=settings)
    assert send("GET", "options")[1]["sd_model_checkpoint"] == "demo"
    text_to_image(override_settings=settings, override_settings_restore_afterwards=False)
    assert send("GET", "options")[1]["sd_model_checkpoint"] == "other"


def waiting_job(backend: InMemoryBackend) -> Job:
    assert text_to_image()[0] == 503
    return only_job(backend)


def test_progress_is_that_of_the_callers_job(deployed: InMemoryBackend) -> None:
    idle = {"progress": 0, "job_count": 0}
    _, answer = send("GET", "progress")
    assert {"progress": answer["progress"], "job_count": answer["state"]["job_count"]} == idle
    job = waiting_job(deployed)
    deployed.documents.progress[job.id] = Progress(
        phase=Phase.DENOISING, step=5, total_steps=20, preview_step=4
    )
    _, answer = send("GET", "progress")
    assert answer["progress"] == pytest.approx(0.26)
    assert (answer["state"]["sampling_step"], answer["state"]["sampling_steps"]) == (5, 20)
    assert (answer["state"]["job"], answer["state"]["job_count"]) == (job.id, 1)
    assert answer["current_image"] is None
    preview = f"s3://{BUCKET}/{preview_key(job.id)}"
    deployed.documents.files[preview] = b"jpeg"
    assert send("GET", "progress")[1]["current_image"] == base64.b64encode(b"jpeg").decode()
    skipped = send("GET", "progress", query={"skip_current_image": "true"})
    assert skipped[1]["current_image"] is None
    deployed.documents.files[preview] = bytes(300_000)
    assert send("GET", "progress")[1]["current_image"] is None
    assert send("GET", "progress", key="another")[1]["progress"] == 0


def test_the_progress_of_a_running_job_precedes_those_of_queued_jobs(deployed: InMemoryBackend) -> None:
    first = waiting_job(deployed)
    text_to_image(seed=1)
    (second,) = set(deployed.jobs.jobs) - {first.id}
    assert send("GET", "progress")[1]["state"]["job"] == first.id
    job = deployed.jobs.jobs[second]
    deployed.jobs.jobs[second] = replace(job, status=JobStatus.RUNNING)
    state = send("GET", "progress")[1]["state"]
    assert (state["job"], state["job_count"]) == (second, 2)


def test_an_unknown_query_parameter_of_the_progress_is_refused(deployed: InMemoryBackend) -> None:
    assert send("GET", "progress", query={"id": "1"})[0] == 422


def test_interrupt_cancels_the_callers_jobs_of_this_api_only(deployed: InMemoryBackend) -> None:
    job = waiting_job(deployed)
    _, _, native = call("POST", "/v1/jobs", '{"prompt": "a"}')
    assert send("POST", "interrupt", key="another") == (200, {})
    assert not deployed.documents.canceled
    assert send("POST", "interrupt") == (200, {})
    assert deployed.documents.canceled == {job.id}
    assert send("GET", "progress")[1]["state"]["interrupted"]
    assert not deployed.jobs.get(native["id"]).cancel_requested


def test_lists(deployed: InMemoryBackend) -> None:
    for kind, name in (("loras", "moon"), ("vaes", "pastel"), ("upscalers", "4x-plus")):
        deployed.adapters.put(f"adapters/{kind}/{name}.safetensors")
    assert [each["title"] for each in send("GET", "sd-models")[1]] == ["demo", "other"]
    samplers = {each["name"]: each["aliases"] for each in send("GET", "samplers")[1]}
    assert "euler_a" in samplers["Euler a"]
    assert "DPM++ 2M Karras" not in samplers
    schedulers = {each["name"]: each["label"] for each in send("GET", "schedulers")[1]}
    assert (schedulers["automatic"], schedulers["karras"]) == ("Automatic", "Karras")
    assert [each["name"] for each in send("GET", "upscalers")[1]] == ["None", "Lanczos", "4x-plus"]
    assert [each["model_name"] for each in send("GET", "sd-vae")[1]] == ["pastel"]
    assert [each["name"] for each in send("GET", "loras")[1]] == ["moon"]
    scripts = ["controlnet", "controlnet m2m"]
    assert send("GET", "scripts")[1] == {"txt2img": scripts, "img2img": scripts}


@pytest.mark.parametrize("path", ["memory", "cmd-flags", "embeddings"])
def test_objects_without_content(deployed: InMemoryBackend, path: str) -> None:
    status, answer = send("GET", path)
    assert (status, type(answer)) == (200, dict)


@pytest.mark.parametrize(
    "path",
    [
        "latent-upscale-modes",
        "hypernetworks",
        "face-restorers",
        "realesrgan-models",
        "prompt-styles",
        "script-info",
        "extensions",
    ],
)
def test_empty_lists(deployed: InMemoryBackend, path: str) -> None:
    assert send("GET", path) == (200, [])


@pytest.mark.parametrize("name", ["checkpoints", "vae", "loras", "embeddings"])
def test_refreshing_does_nothing(deployed: InMemoryBackend, name: str) -> None:
    assert send("POST", f"refresh-{name}") == (200, None)


def test_every_sampler_and_scheduler_of_the_lists_is_accepted(deployed: InMemoryBackend) -> None:
    for sampler in send("GET", "samplers")[1]:
        status, _ = text_to_image(sampler_name=sampler["name"], scheduler="automatic", send_images=False)
        assert status == 503, sampler
    for scheduler in send("GET", "schedulers")[1]:
        status, _ = text_to_image(sampler_name="Euler", scheduler=scheduler["name"])
        assert status == 503, scheduler


def test_png_info(deployed: InMemoryBackend) -> None:
    status, answer = send("POST", "png-info", {"image": base64.b64encode(FILE).decode()})
    assert (status, answer["parameters"]["Seed"]) == (200, "7")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "txt2img", 405), ("POST", "train", 404)])
def test_errors_of_the_router_have_the_web_uis_form(
    deployed: InMemoryBackend, method: str, path: str, status: int
) -> None:
    answered, error = send(method, path)
    assert (answered, {*error}) == (status, {"error", "detail", "body", "errors"})
