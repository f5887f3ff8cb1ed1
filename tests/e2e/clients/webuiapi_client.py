"""Uses the API with the client `webuiapi` of PyPI, and prints a JSON report.

Arguments: the API's URL, a key, an image, and its mask.
"""

import contextlib
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PIL import Image
from webuiapi import ControlNetUnit, HiResUpscaler, WebUIApi

LIMIT_S = 120

api_url, key, image_path, mask_path = sys.argv[1:]
api = WebUIApi(baseurl=f"{api_url}/sdapi/v1", username="key", password=key, steps=4)
image, mask = Image.open(image_path), Image.open(mask_path)
SIZE: dict[str, Any] = {"width": 128, "height": 128}


def refusal(call: Any, **given: Any) -> dict[str, Any]:
    """The error of a call, as the client shows it."""
    try:
        call(**given)
    except RuntimeError as error:
        status, text = error.args
        return {"status": status, **json.loads(text)}
    return {}


def interrupted() -> dict[str, Any]:
    """The error of a request that is interrupted while another one waits for its images."""
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(refusal, api.txt2img, prompt="a red circle", steps=100, batch_size=4, **SIZE)
        until = time.monotonic() + LIMIT_S
        while api.get_progress()["state"]["job_count"] == 0 and time.monotonic() < until:
            pass
        progress = api.get_progress()
        api.interrupt()
        return {"error": waiting.result(), "progress": progress}


def options() -> dict[str, Any]:
    """The options after the model and others were chosen, and the client's idea of them."""
    with contextlib.redirect_stdout(sys.stderr):
        api.util_set_model("demo")
    api.set_options({**api.get_options(), "CLIP_stop_at_last_layers": 2})
    chosen = api.get_options()
    api.set_options({"CLIP_stop_at_last_layers": 1})
    return {"model": api.util_get_current_model(), "clip_skip": chosen["CLIP_stop_at_last_layers"]}


def refreshed() -> Any:
    """The answer of a path without effect."""
    return api.refresh_checkpoints()


star = "a big yellow star on a blue background"
generated = api.txt2img(prompt=star, negative_prompt="a moon", seed=7, batch_size=2, **SIZE)
upscaled = api.txt2img(
    prompt=star, seed=7, enable_hr=True, hr_scale=2, hr_upscaler=HiResUpscaler.Lanczos, **SIZE
)
changed = api.img2img(images=[image], prompt=star, seed=7, **SIZE)
inpainted = api.img2img(
    images=[image], mask_image=mask, inpainting_fill=1, mask_blur=0, prompt=star, seed=7, **SIZE
)
unit = ControlNetUnit(image=image, model="canny", module="canny", threshold_a=100, threshold_b=200)
controlled = api.txt2img(prompt="a red circle", seed=7, controlnet_units=[unit], **SIZE)
moon = api.txt2img(prompt="a big red moon on a white background <lora:moon:0.8>", seed=1, **SIZE)
inpainted.image.save(f"{image_path}.inpainted.png")

print(
    json.dumps(
        {
            "sizes": [each.size for each in generated.images],
            "parameters": [generated.parameters[name] for name in ("prompt", "seed", "batch_size")],
            "info": generated.info,
            "png_info": api.png_info(generated.image).json["parameters"],
            "upscaled": upscaled.image.size,
            "moon": moon.info["infotexts"][0],
            "changed": changed.image.size,
            "controlled": controlled.info["infotexts"][0],
            "models": api.util_get_model_names(),
            "samplers": api.util_get_sampler_names(),
            "schedulers": api.util_get_scheduler_names(),
            "loras": [each["name"] for each in api.get_loras()],
            "upscalers": [each["name"] for each in api.get_upscalers()],
            "empty": [
                api.get_latent_upscale_modes(),
                api.get_hypernetworks(),
                api.get_face_restorers(),
                api.get_realesrgan_models(),
                api.get_prompt_styles(),
                refreshed(),
            ],
            "known": [bool(api.get_memory()), bool(api.get_cmd_flags()), bool(api.get_embeddings())],
            "vaes": api.get_sd_vae(),
            "has_controlnet": api.has_controlnet,
            "options": options(),
            "interrupted": interrupted(),
            "tiling": refusal(api.txt2img, prompt="a", tiling=True),
            "latent": refusal(api.txt2img, prompt="a", enable_hr=True, **SIZE),
            "fill": refusal(api.img2img, prompt="a", images=[image], mask_image=mask, **SIZE),
            "wide": refusal(api.img2img, prompt="a", images=[image], width=128, height=64),
            "too_large": refusal(api.txt2img, prompt="a", width=2048, height=128),
        }
    )
)
