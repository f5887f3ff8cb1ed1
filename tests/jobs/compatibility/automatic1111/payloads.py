"""Requests as the web UI's clients send them."""

import base64
import io
from typing import Any

from PIL import Image


def png(width: int = 64, height: int = 64) -> str:
    """A PNG file in base64."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


_COMMON = {
    "prompt": "a red circle",
    "styles": [],
    "seed": -1,
    "subseed": -1,
    "subseed_strength": 0.0,
    "seed_resize_from_h": 0,
    "seed_resize_from_w": 0,
    "batch_size": 1,
    "n_iter": 1,
    "steps": 20,
    "cfg_scale": 7.0,
    "width": 512,
    "height": 512,
    "restore_faces": False,
    "tiling": False,
    "do_not_save_samples": False,
    "do_not_save_grid": False,
    "negative_prompt": "",
    "eta": 1.0,
    "s_churn": 0,
    "s_tmax": 0,
    "s_tmin": 0,
    "s_noise": 1,
    "override_settings": {},
    "override_settings_restore_afterwards": True,
    "sampler_name": "Euler a",
    "scheduler": "automatic",
    "sampler_index": "Euler a",
    "script_name": None,
    "script_args": [],
    "send_images": True,
    "save_images": False,
    "alwayson_scripts": {},
}
TEXT_TO_IMAGE: dict[str, Any] = {
    **_COMMON,
    "enable_hr": False,
    "hr_scale": 2,
    "hr_upscaler": "Latent",
    "hr_second_pass_steps": 0,
    "hr_resize_x": 0,
    "hr_resize_y": 0,
    "hr_checkpoint_name": None,
    "hr_sampler_name": None,
    "hr_scheduler": None,
    "hr_prompt": "",
    "hr_negative_prompt": "",
    "denoising_strength": 0.7,
    "firstphase_width": 0,
    "firstphase_height": 0,
}
"""The request of webuiapi with its defaults."""

IMAGE = f"data:image/png;base64,{png()}"
MASK = f"data:image/png;base64,{png(32, 32)}"
IMAGE_TO_IMAGE: dict[str, Any] = {
    **_COMMON,
    "init_images": [IMAGE],
    "resize_mode": 0,
    "denoising_strength": 0.75,
    "mask_blur": 4,
    "inpainting_fill": 0,
    "inpaint_full_res": True,
    "inpaint_full_res_padding": 0,
    "inpainting_mask_invert": 0,
    "initial_noise_multiplier": 1,
    "image_cfg_scale": 1.5,
    "include_init_images": False,
}
"""The request of webuiapi with its defaults."""

UNIT: dict[str, Any] = {
    "image": png(),
    "mask": None,
    "module": "none",
    "model": "edges",
    "weight": 1.0,
    "resize_mode": "Resize and Fill",
    "low_vram": False,
    "processor_res": 512,
    "threshold_a": 64,
    "threshold_b": 64,
    "guidance_start": 0.0,
    "guidance_end": 1.0,
    "control_mode": "Balanced",
    "pixel_perfect": False,
    "hr_option": "Both",
    "enabled": True,
}
"""A ControlNet of webuiapi."""

SILLY_TAVERN: dict[str, Any] = {
    "url": "http://127.0.0.1:8080",
    "auth": "user:secret",
    "prompt": "a red circle",
    "negative_prompt": "lowres",
    "sampler_name": "DPM++ 2M",
    "scheduler": "karras",
    "steps": 20,
    "cfg_scale": 7,
    "width": 512,
    "height": 512,
    "restore_faces": False,
    "enable_hr": False,
    "hr_upscaler": "Latent",
    "hr_scale": 1.0,
    "hr_additional_modules": [],
    "denoising_strength": 0.7,
    "hr_second_pass_steps": 0,
    "override_settings": {"CLIP_stop_at_last_layers": 2, "sd_vae": "None"},
    "override_settings_restore_afterwards": True,
    "clip_skip": 2,
    "save_images": True,
    "send_images": True,
    "do_not_save_grid": False,
    "do_not_save_samples": False,
}
