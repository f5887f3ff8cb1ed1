"""Detection of a model's family, from its configuration files or its tensors; file names are ignored."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.family import Family
from inference.models.errors import UnusableModelError
from inference.models.formats import MODEL_INDEX
from inference.models.safetensors_file import Header

EPSILON = "epsilon"
V_PREDICTION = "v_prediction"

UNET = "model.diffusion_model."
CLIP = "cond_stage_model.transformer."
OPEN_CLIP = "cond_stage_model.model."
XL_CLIP = "conditioner.embedders.0.transformer."
XL_OPEN_CLIP = "conditioner.embedders.1.model."
REFINER_OPEN_CLIP = "conditioner.embedders.0.model."
"""Prefixes of tensor names in single files (LDM layout)."""

_FAMILY_BY_TEXT_ENCODER = {
    CLIP: Family.SD1,
    OPEN_CLIP: Family.SD2,
    XL_CLIP: Family.SDXL,
    REFINER_OPEN_CLIP: Family.SDXL_REFINER,
}
_MAX_JSON_BYTES = 16 << 20
_SUPPORTED_IN_CHANNELS = {4, 9}
_CONV_IN = f"{UNET}input_blocks.0.0.weight"
_EDM_KEYS = {"edm_mean", "edm_std"}
"""Tensors of models that normalize latents by mean and standard deviation, which are not supported."""

_SD2_BASE_GLOBAL_STEPS = {220_000, 875_000}
"""`global_step` of 2.1-base and 2-base, which were trained at 512 pixels and predict epsilon."""

_LAST_ATTENTION_BIAS = re.compile(
    rf"{re.escape(UNET)}output_blocks\.(\d+)\.1\.transformer_blocks\.0\.norm1\.bias"
)
_VELOCITY_DEVIATION = 0.09
"""ComfyUI's threshold: the bias of the UNet's last attention has a larger standard deviation in the published
SD 2 models that predict velocity, and in those that were trained from them."""


@dataclass(frozen=True)
class ModelType:
    """The type of a model.

    Attributes:
        family: its architecture.
        in_channels: of the UNet: 4; 9 for an inpainting model; 0 without a UNet.
        prediction_type: of the UNet, as in scheduler_config.json.
    """

    family: Family
    in_channels: int
    prediction_type: str = EPSILON


def model_type_of_directory(directory: Path) -> ModelType:
    """The type of the model in a diffusers directory.

    Raises:
        UnusableModelError: a configuration file is missing, or not a JSON object.
    """
    index = read_json(directory / MODEL_INDEX)
    if not has_component(index, "unet", "UNet2DConditionModel"):
        return ModelType(Family.OTHER, in_channels=0)
    unet = read_json(directory / "unet" / "config.json")
    scheduler = read_json(directory / "scheduler" / "scheduler_config.json")
    channels = unet.get("in_channels", 4)
    return ModelType(
        _family_of_unet(unet, index) if channels in _SUPPORTED_IN_CHANNELS else Family.OTHER,
        channels,
        scheduler.get("prediction_type", EPSILON),
    )


def model_type_of_single_file(
    header: Header,
    global_step: int | None = None,
    *,
    deviation_of: Callable[[str], float] | None = None,
) -> ModelType:
    """The type of the model in a single file.

    Args:
        header: the tensors' shapes and the metadata.
        global_step: number of training steps; None if the file does not have it.
        deviation_of: the standard deviation of a tensor; None where the tensors cannot be read.
    """
    shapes = header.shapes
    families = [
        family
        for prefix, family in _FAMILY_BY_TEXT_ENCODER.items()
        if any(name.startswith(prefix) for name in shapes)
    ]
    channels = shapes.get(_CONV_IN, (0, 0))[1]
    if len(families) != 1 or channels not in _SUPPORTED_IN_CHANNELS or not _EDM_KEYS.isdisjoint(shapes):
        return ModelType(Family.OTHER, channels)
    family = families[0]
    prediction_type = _declared_prediction_type(header)
    if prediction_type is None:
        predicts_velocity = (
            family is Family.SD2
            and channels == 4  # the inpainting model predicts epsilon
            and global_step not in _SD2_BASE_GLOBAL_STEPS
            and deviation_of is not None
            and _has_velocity_bias(header, deviation_of)
        )
        prediction_type = V_PREDICTION if predicts_velocity else EPSILON
    return ModelType(family, channels, prediction_type)


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        UnusableModelError: the file is missing, or not a JSON object.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise UnusableModelError(f"{name} is too large; download or convert the model again.")
        content = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UnusableModelError(f"{name} is missing; download or convert the model again.") from error
    except (ValueError, RecursionError) as error:
        raise UnusableModelError(f"{name} is not valid JSON; download or convert the model again.") from error
    if not isinstance(content, dict):
        raise UnusableModelError(f"{name} is not a JSON object; download or convert the model again.")
    return content


def has_component(index: Mapping[str, Any], component: str, class_name: str | None = None) -> bool:
    """Whether model_index.json has a component, of this class if one is given."""
    entry = index.get(component)
    return (
        isinstance(entry, list)
        and len(entry) == 2
        and entry[1] is not None
        and class_name in (None, entry[1])
    )


def _family_of_unet(unet: Mapping[str, Any], index: Mapping[str, Any]) -> Family:
    """Detects by the width of the cross attention, and for other widths by the components."""
    width = unet.get("cross_attention_dim")
    if unet.get("addition_embed_type") == "text_time":
        return Family.SDXL if width == 2048 or has_component(index, "text_encoder") else Family.SDXL_REFINER
    if width == 1024 or (width != 768 and unet.get("use_linear_projection")):
        return Family.SD2
    return Family.SD1


def _declared_prediction_type(header: Header) -> str | None:
    """The prediction type from the metadata or marker tensors; None if the file does not say it."""
    shapes, metadata = header
    declared = {"v": V_PREDICTION, "epsilon": EPSILON}.get(metadata.get("modelspec.prediction_type", ""))
    return declared or (V_PREDICTION if "v_pred" in shapes else None)


def _has_velocity_bias(header: Header, deviation_of: Callable[[str], float]) -> bool:
    matches = [match for name in header.shapes if (match := _LAST_ATTENTION_BIAS.fullmatch(name))]
    if not matches:
        return False
    last = max(matches, key=lambda match: int(match[1]))
    return deviation_of(last[0]) > _VELOCITY_DEVIATION
