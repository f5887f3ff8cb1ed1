"""What a model is, read from its files and not from its name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.family import Family
from inference.models.errors import UnusableModelError
from inference.models.safetensors_file import Contents

EPSILON = "epsilon"
V_PREDICTION = "v_prediction"

UNET = "model.diffusion_model."
CLIP = "cond_stage_model.transformer."
OPEN_CLIP = "cond_stage_model.model."
XL_CLIP = "conditioner.embedders.0.transformer."
XL_OPEN_CLIP = "conditioner.embedders.1.model."
REFINER_OPEN_CLIP = "conditioner.embedders.0.model."
"""How the names of tensors begin, in the single files of the models' makers."""

_FAMILIES = {
    CLIP: Family.SD1,
    OPEN_CLIP: Family.SD2,
    XL_CLIP: Family.SDXL,
    REFINER_OPEN_CLIP: Family.SDXL_REFINER,
}
_CHANNELS = {4, 9}
_CONV_IN = f"{UNET}input_blocks.0.0.weight"
_FOREIGN = {"edm_mean", "edm_std"}
"""Tensors of models that scale their latents in a way of their own."""


@dataclass(frozen=True)
class Traits:
    """What a model is.

    Attributes:
        family: what it is built like.
        in_channels: of its UNet: 4, or 9 where it is shown a mask and what is outside it; 0 without a UNet.
        prediction_type: what its UNet predicts, as schedulers call it.
    """

    family: Family
    in_channels: int
    prediction_type: str = EPSILON


def traits_of_directory(directory: Path) -> Traits:
    """What a diffusers directory holds.

    Raises:
        UnusableModelError: one of its configuration files is missing or no JSON.
    """
    index = read_json(directory / "model_index.json")
    if not is_named(index, "unet", "UNet2DConditionModel"):
        return Traits(Family.OTHER, in_channels=0)
    unet = read_json(directory / "unet" / "config.json")
    scheduler = read_json(directory / "scheduler" / "scheduler_config.json")
    channels = unet.get("in_channels", 4)
    return Traits(
        _family_of_unet(unet, index) if channels in _CHANNELS else Family.OTHER,
        channels,
        scheduler.get("prediction_type", EPSILON),
    )


def traits_of_single_file(contents: Contents, steps: int | None = None) -> Traits:
    """What a single file in the layout of the models' makers holds.

    Args:
        contents: its tensors and notes.
        steps: how long it was trained, where it says so.
    """
    shapes = contents.shapes
    families = [family for prefix, family in _FAMILIES.items() if any(n.startswith(prefix) for n in shapes)]
    channels = shapes.get(_CONV_IN, (0, 0))[1]
    if len(families) != 1 or channels not in _CHANNELS or not _FOREIGN.isdisjoint(shapes):
        return Traits(Family.OTHER, channels)
    return Traits(families[0], channels, _prediction_type(families[0], channels, contents, steps))


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        UnusableModelError: the file is missing or holds something else.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UnusableModelError(f"{name} is missing; fetch or convert the model again.") from error
    except ValueError as error:
        raise UnusableModelError(f"{name} is no JSON; fetch or convert the model again.") from error
    if not isinstance(content, dict):
        raise UnusableModelError(f"{name} is no JSON object; fetch or convert the model again.")
    return content


def is_named(index: Mapping[str, Any], component: str, class_name: str | None = None) -> bool:
    """Whether a pipeline's index names a component, of that class."""
    named = index.get(component)
    return (
        isinstance(named, list)
        and len(named) == 2
        and named[1] is not None
        and class_name in (None, named[1])
    )


def _family_of_unet(unet: Mapping[str, Any], index: Mapping[str, Any]) -> Family:
    """Widths where they are the families' own, the parts where they are not."""
    width = unet.get("cross_attention_dim")
    if unet.get("addition_embed_type") == "text_time":
        return Family.SDXL if width == 2048 or is_named(index, "text_encoder") else Family.SDXL_REFINER
    if width == 1024 or (width != 768 and unet.get("use_linear_projection")):
        return Family.SD2
    return Family.SD1


def _prediction_type(family: Family, channels: int, contents: Contents, steps: int | None) -> str:
    """What the file says; else what its makers have trained, as far as they can be told apart."""
    shapes, notes = contents
    noted = {"v": V_PREDICTION, "epsilon": EPSILON}.get(notes.get("modelspec.prediction_type", ""))
    if noted:
        return noted
    if "v_pred" in shapes:
        return V_PREDICTION
    is_base = channels == 9 or steps in _STEPS_OF_SD2_BASE or notes.get("modelspec.resolution") == "512x512"
    return V_PREDICTION if family is Family.SD2 and not is_base else EPSILON


_STEPS_OF_SD2_BASE = {220_000, 875_000}
"""The `global_step` of 2.1-base and 2-base, which draw at 512 pixels and predict noise."""
