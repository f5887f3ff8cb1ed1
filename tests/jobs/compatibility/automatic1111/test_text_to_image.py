"""Requests for text to image, and the jobs that they become."""

import json
from typing import Any

import pytest

from contract.document import MalformedRequestError
from contract.generation import InvalidRequestError
from contract.options import Hires
from contract.submission import JobSubmission
from jobs.catalog import ModelCatalog
from jobs.compatibility.automatic1111.request import TAG, RequestedImages, parse_images_request
from jobs.compatibility.automatic1111.settings import NOT_SET, Settings
from jobs.compatibility.automatic1111.text_to_image import TextToImageRequest
from jobs.errors import ModelNotFoundError
from tests.jobs.compatibility.automatic1111.payloads import SILLY_TAVERN, TEXT_TO_IMAGE, UNIT
from tests.jobs.fakes import DEMO, OTHER

CATALOG = ModelCatalog([DEMO, OTHER], "demo")


def requested(options: Settings = NOT_SET, **fields: Any) -> RequestedImages:
    return parse_images_request(TextToImageRequest, json.dumps({**TEXT_TO_IMAGE, **fields}), options, CATALOG)


def submission(**fields: Any) -> JobSubmission:
    return requested(**fields).submission


def refused(**fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        requested(**fields)
    return {each.pointer: each.detail for each in caught.value.errors}


def test_the_defaults_of_webuiapi_are_a_job() -> None:
    assert submission() == JobSubmission(
        model="demo",
        prompt="a red circle",
        width=512,
        height=512,
        steps=20,
        guidance_scale=7.0,
        sampler="euler_a",
        scheduler="automatic",
        count=1,
        tags=(TAG,),
    )


def test_the_request_of_sillytavern_is_a_job_and_its_secret_is_not_repeated() -> None:
    body = json.dumps(SILLY_TAVERN)
    found = parse_images_request(TextToImageRequest, body, Settings(sd_vae="pastel"), CATALOG)
    assert found.submission == JobSubmission(
        model="demo",
        prompt="a red circle",
        negative_prompt="lowres",
        width=512,
        height=512,
        steps=20,
        guidance_scale=7.0,
        sampler="dpmpp_2m",
        scheduler="karras",
        count=1,
        clip_skip=2,
        tags=(TAG,),
    )
    assert "secret" not in json.dumps(found.parameters)


def test_a_prompt_alone_takes_the_models_defaults() -> None:
    found = parse_images_request(TextToImageRequest, '{"prompt": "a"}', NOT_SET, CATALOG).submission
    assert found == JobSubmission(model="demo", prompt="a", count=1, tags=(TAG,))


def test_fields_that_are_null_are_not_given() -> None:
    expected = submission(**dict.fromkeys(("sampler_index", "eta", "scheduler", "cfg_scale", "seed")))
    assert (expected.scheduler, expected.guidance_scale, expected.seed) == (None, None, None)


def test_numbers_and_truth_values_are_read_as_the_web_ui_reads_them() -> None:
    found = submission(steps="25", width=512.0, enable_hr=0, tiling="false")
    assert (found.steps, found.width, found.hires) == (25, 512, None)


def test_batches_are_images_of_one_job() -> None:
    assert submission(batch_size=2, n_iter=2).count == 4


def test_a_seed_is_kept() -> None:
    assert submission(seed=0).seed == 0
    assert submission(seed="").seed is None


def test_the_samplers_name_precedes_its_earlier_name() -> None:
    assert submission(sampler_name="DPM++ 2M Karras", sampler_index="Euler").sampler == "dpmpp_2m_karras"
    assert submission(sampler_name=None, sampler_index="Euler").sampler == "euler"


def test_a_lora_stays_in_the_prompt() -> None:
    assert submission(prompt="a moon <lora:moon:0.8>").prompt == "a moon <lora:moon:0.8>"


def test_a_second_pass() -> None:
    found = submission(
        enable_hr=True, hr_scale=1.5, hr_upscaler="4x-plus", hr_second_pass_steps=10, denoising_strength=0.4
    )
    assert found.hires == Hires(scale=1.5, upscaler="4x-plus", steps=10, strength=0.4)


@pytest.mark.parametrize("upscaler", ["None", "Lanczos", None])
def test_the_upscaler_of_the_second_pass_is_lanczos_by_default(upscaler: str | None) -> None:
    hires = submission(enable_hr=True, hr_upscaler=upscaler).hires
    assert hires == Hires(scale=2, strength=0.7, upscaler="lanczos")


@pytest.mark.parametrize(("x", "y"), [(768, 0), (0, 384), (768, 384)])
def test_the_size_of_the_second_pass_may_be_given(x: int, y: int) -> None:
    fields = {"hr_upscaler": None, "hr_resize_x": x, "hr_resize_y": y, "width": 512, "height": 256}
    hires = submission(enable_hr=True, **fields).hires
    assert hires is not None
    assert hires.scale == 1.5


def test_fields_of_the_second_pass_may_repeat_those_of_the_first() -> None:
    fields = {
        "hr_upscaler": None,
        "hr_prompt": "a red circle",
        "hr_sampler_name": "Euler a",
        "hr_scheduler": "Use same scheduler",
        "hr_checkpoint_name": "Use same checkpoint",
    }
    assert submission(enable_hr=True, **fields).hires == Hires(scale=2, strength=0.7)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"hr_upscaler": "Latent (nearest)"}, "#/hr_upscaler"),
        ({"hr_upscaler": "../x"}, "#/hr_upscaler"),
        ({"hr_scale": 5}, "#/hr_scale"),
        ({"hr_resize_x": 512}, "#/hr_resize_x"),
        ({"hr_resize_x": 768, "hr_resize_y": 1024}, "#/hr_resize_y"),
        ({"hr_resize_y": 768, "width": None}, "#/hr_resize_y"),
        ({"hr_second_pass_steps": -1}, "#/hr_second_pass_steps"),
        ({"denoising_strength": 0}, "#/denoising_strength"),
        ({"hr_prompt": "a blue circle"}, "#/hr_prompt"),
        ({"hr_negative_prompt": "a blue circle"}, "#/hr_negative_prompt"),
        ({"hr_sampler_name": "Euler"}, "#/hr_sampler_name"),
        ({"hr_scheduler": "karras"}, "#/hr_scheduler"),
        ({"hr_checkpoint_name": "other"}, "#/hr_checkpoint_name"),
    ],
)
def test_a_second_pass_that_cannot_be_had_is_refused_by_name(fields: dict[str, Any], pointer: str) -> None:
    assert pointer in refused(**{"enable_hr": True, "hr_upscaler": "Lanczos", **fields})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prompt", ""),
        ("styles", ["oil"]),
        ("subseed_strength", 0.1),
        ("seed_resize_from_h", 512),
        ("seed_resize_from_w", 512),
        ("restore_faces", True),
        ("tiling", True),
        ("disable_extra_networks", True),
        ("eta", 0),
        ("s_churn", 1),
        ("s_min_uncond", 1),
        ("s_noise", 1.1),
        ("refiner_checkpoint", "refiner"),
        ("script_name", "X/Y/Z plot"),
        ("script_args", [1]),
        ("infotext", "a cat"),
        ("firstpass_image", "x"),
        ("comments", {"a": "b"}),
        ("hr_additional_modules", ["vae"]),
        ("firstphase_width", 256),
        ("firstphase_height", 256),
        ("seed", -2),
        ("seed", 2**32),
        ("batch_size", 0),
        ("n_iter", 65),
        ("width", 500),
        ("cfg_scale", 51),
        ("sampler_name", "Restart"),
        ("scheduler", "kl_optimal"),
        ("init_images", []),
        ("distilled_cfg_scale", 3.5),
    ],
)
def test_a_value_that_cannot_be_had_is_refused_under_its_name(name: str, value: Any) -> None:
    assert f"#/{name}" in refused(**{name: value})


def test_the_sampler_is_refused_under_the_name_that_was_sent() -> None:
    assert "#/sampler_index" in refused(sampler_name=None, sampler_index="Restart")


def test_a_body_that_is_not_json_is_refused() -> None:
    with pytest.raises(MalformedRequestError):
        parse_images_request(TextToImageRequest, "prompt", NOT_SET, CATALOG)


def test_settings_of_the_request_precede_those_of_the_caller() -> None:
    options = Settings(
        sd_model_checkpoint="other", sd_vae="pastel", CLIP_stop_at_last_layers=2, live_previews_enable=True
    )
    found = requested(options).submission
    assert (found.model, found.vae, found.clip_skip, found.preview) == ("other", "pastel", 2, True)
    given = {
        "sd_model_checkpoint": "demo",
        "sd_vae": "Automatic",
        "CLIP_stop_at_last_layers": 1,
        "samples_format": "jpg",
        "jpeg_quality": 80,
    }
    found = requested(options, override_settings=given).submission
    assert (found.model, found.vae, found.clip_skip) == ("demo", None, 1)
    assert (found.output_format, found.quality) == ("jpeg", 80)


def test_a_model_of_the_caller_that_was_removed_is_the_default() -> None:
    assert requested(Settings(sd_model_checkpoint="gone")).submission.model == "demo"


def test_settings_are_kept_if_the_request_says_so() -> None:
    given = {"override_settings": {"sd_model_checkpoint": "other"}}
    assert requested(**given).kept is None
    found = requested(Settings(sd_vae="pastel"), **given, override_settings_restore_afterwards=False)
    assert found.kept == Settings(sd_model_checkpoint="other", sd_vae="pastel")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sd_vae", "a/b"),
        ("CLIP_stop_at_last_layers", 13),
        ("samples_format", "gif"),
        ("img2img_fix_steps", True),
        ("eta_noise_seed_delta", 31337),
        ("brightness", 2),
    ],
)
def test_a_setting_that_cannot_be_had_is_refused_under_its_name(name: str, value: Any) -> None:
    assert f"#/override_settings/{name}" in refused(override_settings={name: value})


def test_an_unknown_model_is_refused_under_the_settings_name() -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        requested(override_settings={"sd_model_checkpoint": "sd_xl.safetensors [31e35c80fc]"})
    assert caught.value.errors[0].pointer == "#/override_settings/sd_model_checkpoint"


def test_both_names_of_clip_skip_must_agree() -> None:
    assert submission(clip_skip=2).clip_skip == 2
    assert "#/clip_skip" in refused(clip_skip=2, override_settings={"CLIP_stop_at_last_layers": 1})
    assert "#/clip_skip" in refused(clip_skip=13)


def units(*given: dict[str, Any]) -> dict[str, Any]:
    return {"alwayson_scripts": {"ControlNet": {"args": list(given)}}}


def test_a_controlnet() -> None:
    unit = {**UNIT, "model": "edges [d14c016b]", "weight": 0.5, "guidance_start": 0.1, "guidance_end": 0.9}
    (found,) = submission(**units(unit)).controlnets
    assert found.model_dump() == {
        "type": "edges",
        "image": f"data:image/png;base64,{UNIT['image']}",
        "weight": 0.5,
        "start": 0.1,
        "end": 0.9,
        "preprocess": False,
    }


def test_edges_are_computed_by_the_module_canny() -> None:
    unit = {**UNIT, "model": "canny", "module": "canny", "threshold_a": 100, "threshold_b": 200}
    (found,) = submission(**units(unit)).controlnets
    assert found.preprocess


def test_units_that_are_not_enabled_are_left_out() -> None:
    off = {"enabled": False, "module": "depth_midas"}
    (found,) = submission(**units(off, UNIT)).controlnets
    assert found.type == "edges"
    assert submission(**units()).controlnets == ()


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"image": None}, "image"),
        ({"image": "text"}, "image"),
        ({"model": "None"}, "model"),
        ({"model": "a/b"}, "model"),
        ({"module": "depth_midas"}, "module"),
        ({"module": "canny"}, "threshold_a"),
        ({"module": "canny", "threshold_a": -1, "threshold_b": -1}, ""),
        ({"weight": 3}, "weight"),
        ({"guidance_start": 1.5}, "guidance_start"),
        ({"guidance_start": 0.5, "guidance_end": 0.5}, ""),
        ({"control_mode": "ControlNet is more important"}, "control_mode"),
        ({"hr_option": "Low res only"}, "hr_option"),
        ({"mask": "x"}, "mask"),
        ({"guessmode": True}, "guessmode"),
        ({"batch_images": "x"}, "batch_images"),
    ],
)
def test_a_controlnet_that_cannot_be_had_is_refused_by_the_name_of_its_field(
    fields: dict[str, Any], name: str
) -> None:
    unit = "#/alwayson_scripts/ControlNet/args/1"
    pointer = f"{unit}/{name}" if name else unit
    assert [*refused(**units({"enabled": False}, {**UNIT, **fields}))] == [pointer]


def test_a_control_image_of_another_aspect_ratio_is_cropped_only_if_the_request_says_so() -> None:
    fields = {"width": 512, "height": 256}
    assert "#/alwayson_scripts/ControlNet/args/0/resize_mode" in refused(**units(UNIT), **fields)
    assert submission(**units({**UNIT, "resize_mode": "Crop and Resize"}), **fields).controlnets


@pytest.mark.parametrize("arguments", [[], [False], [False, {"ad_model": "None"}]])
def test_scripts_that_are_switched_off_are_accepted(arguments: list[Any]) -> None:
    assert submission(alwayson_scripts={"ADetailer": {"args": arguments}}) == submission()


@pytest.mark.parametrize("script", [{"args": [True]}, {"args": [{"ad_model": "face"}]}, {}, []])
def test_other_scripts_are_refused_by_name(script: Any) -> None:
    assert "#/alwayson_scripts/ADetailer" in refused(alwayson_scripts={"ADetailer": script})
