"""Tiny single-file checkpoints (LDM layout), converted back from diffusers pipelines."""

import re
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from inference.models.tokenizer import clip_tokenizer

Tensors = dict[str, torch.Tensor]
_WIDTH = 64
_SCHEDULE: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "timestep_spacing": "leading",
}


def pipeline(family: str, *, channels: int = 4, prediction: str = "epsilon") -> Any:
    """A tiny pipeline of the family with random weights, whose config can be inferred from tensor shapes."""
    torch.manual_seed(5)
    is_sdxl = family.startswith("sdxl")
    unet: dict[str, Any] = {}
    if family != "sd1":
        unet |= {"use_linear_projection": True, "attention_head_dim": [1, 2]}
    if is_sdxl:
        time_ids = 5 if family == "sdxl_refiner" else 6
        unet |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 16,
            "projection_class_embeddings_input_dim": 32 + time_ids * 16,
            "transformer_layers_per_block": [1, 2],
        }
    components: dict[str, Any] = {
        "unet": UNet2DConditionModel(
            **{"attention_head_dim": 8} | unet,
            sample_size={"sd1": 64, "sd2": 96}.get(family, 128),
            in_channels=channels,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D")
            if is_sdxl
            else ("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D")
            if is_sdxl
            else ("UpBlock2D", "CrossAttnUpBlock2D"),
            block_out_channels=(64, 128),
            layers_per_block=2,
            cross_attention_dim=_WIDTH * 2 if family == "sdxl" else _WIDTH,
        ),
        "vae": AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(32, 32, 64, 64),
            latent_channels=4,
            layers_per_block=2,
            scaling_factor=0.13025 if is_sdxl else 0.18215,
            force_upcast=is_sdxl,
        ),
    }
    if is_sdxl:
        components["scheduler"] = EulerDiscreteScheduler(**_SCHEDULE, prediction_type=prediction)
        second = CLIPTextModelWithProjection(_text("gelu", layers=2, projection_dim=32))
        components |= {"text_encoder_2": second, "tokenizer_2": clip_tokenizer(open_clip=True)}
        if family == "sdxl_refiner":
            return StableDiffusionXLImg2ImgPipeline(
                **components,
                text_encoder=None,
                tokenizer=None,
                requires_aesthetics_score=True,
                force_zeros_for_empty_prompt=False,
            )
        first = CLIPTextModel(_text("quick_gelu", layers=2))
        return StableDiffusionXLPipeline(
            **components, text_encoder=first, tokenizer=clip_tokenizer(open_clip=False)
        )
    if family == "sd2" and prediction == "v_prediction":
        _widen_last_attention_bias(components["unet"])
    components["scheduler"] = DDIMScheduler(
        **_SCHEDULE, prediction_type=prediction, clip_sample=False, set_alpha_to_one=False
    )
    kind = StableDiffusionPipeline if channels == 4 else StableDiffusionInpaintPipeline
    return kind(
        **components,
        text_encoder=CLIPTextModel(_text("quick_gelu" if family == "sd1" else "gelu", layers=2)),
        tokenizer=clip_tokenizer(open_clip=family == "sd2"),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _widen_last_attention_bias(unet: UNet2DConditionModel) -> None:
    """Gives it a standard deviation above 0.09, as in the published SD 2 models that predict velocity."""
    bias = unet.up_blocks[-1].attentions[-1].transformer_blocks[0].norm1.bias
    with torch.no_grad():
        bias.copy_(torch.linspace(-0.2, 0.2, len(bias)))


def write(pipe: Any, path: Path, **metadata: str) -> Path:
    """Writes the pipeline as a single safetensors file."""
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors_of(pipe).items()}, path, metadata or None
    )
    return path


def tensors_of(pipe: Any) -> Tensors:
    """The pipeline's state dict with the names of the LDM layout."""
    tensors = _prefixed("model.diffusion_model.", _unet(pipe.unet))
    tensors |= _prefixed("first_stage_model.", vae_tensors(pipe.vae))
    second = getattr(pipe, "text_encoder_2", None)
    if second is None:
        if pipe.text_encoder.config.hidden_act == "quick_gelu":
            return tensors | _prefixed("cond_stage_model.transformer.", _clip(pipe.text_encoder))
        return tensors | _prefixed("cond_stage_model.model.", _open_clip(pipe.text_encoder, skipped_layers=1))
    if pipe.text_encoder is None:
        return tensors | _prefixed("conditioner.embedders.0.model.", _open_clip(second))
    tensors |= _prefixed("conditioner.embedders.0.transformer.", _clip(pipe.text_encoder))
    return tensors | _prefixed("conditioner.embedders.1.model.", _open_clip(second))


def _text(act: str, *, layers: int, projection_dim: int = _WIDTH) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=49408,
        hidden_size=_WIDTH,
        intermediate_size=48,
        num_hidden_layers=layers,
        num_attention_heads=1,
        projection_dim=projection_dim,
        hidden_act=act,
        bos_token_id=49406,
        eos_token_id=49407,
    )


def _prefixed(prefix: str, tensors: Tensors) -> Tensors:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def _replaced(name: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        name = name.replace(old, new)
    return name


def _unet(unet: UNet2DConditionModel) -> Tensors:
    has_attention = [kind.startswith("CrossAttn") for kind in unet.config.up_block_types]
    return {
        _unet_name(name, unet.config.layers_per_block, has_attention): t
        for name, t in unet.state_dict().items()
    }


def _unet_name(name: str, layers: int, has_attention: list[bool]) -> str:
    name = _replaced(
        name,
        ("time_embedding.linear_1", "time_embed.0"),
        ("time_embedding.linear_2", "time_embed.2"),
        ("add_embedding.linear_1", "label_emb.0.0"),
        ("add_embedding.linear_2", "label_emb.0.2"),
        ("conv_norm_out", "out.0"),
        ("conv_out", "out.2"),
        ("conv_in", "input_blocks.0.0"),
        ("mid_block.resnets.0", "middle_block.0"),
        ("mid_block.attentions.0", "middle_block.1"),
        ("mid_block.resnets.1", "middle_block.2"),
    )
    if found := re.match(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.*)", name):
        direction, block, kind, layer, rest = found[1], int(found[2]), found[3], int(found[4]), found[5]
        if direction == "down":
            number = 1 + block * (layers + 1) + (layers if kind == "downsamplers" else layer)
            position = {"resnets": 0, "attentions": 1, "downsamplers": 0}[kind]
            rest = rest.replace("conv.", "op.") if kind == "downsamplers" else rest
            name = f"input_blocks.{number}.{position}.{rest}"
        else:
            number = block * (layers + 1) + (layers if kind == "upsamplers" else layer)
            position = {"resnets": 0, "attentions": 1, "upsamplers": 2 if has_attention[block] else 1}[kind]
            name = f"output_blocks.{number}.{position}.{rest}"
    if re.match(r"(input|middle|output)_block", name):
        name = _replaced(
            name,
            ("norm1.", "in_layers.0.") if "transformer" not in name else ("", ""),
            ("conv1.", "in_layers.2."),
            ("norm2.", "out_layers.0.") if "transformer" not in name else ("", ""),
            ("conv2.", "out_layers.3."),
            ("time_emb_proj.", "emb_layers.1."),
            ("conv_shortcut.", "skip_connection."),
        )
    return name


def controlnet_tensors(network: ControlNetModel) -> Tensors:
    """A ControlNet's tensors under the names of lllyasviel's code, cldm/cldm.py."""
    return {
        _controlnet_name(name, network.config.layers_per_block): t for name, t in network.state_dict().items()
    }


def _controlnet_name(name: str, layers: int) -> str:
    if found := re.match(r"controlnet_cond_embedding\.blocks\.(\d+)\.(.*)", name):
        return f"input_hint_block.{2 * int(found[1]) + 2}.{found[2]}"
    if name.startswith("controlnet_"):
        return _replaced(
            re.sub(r"controlnet_down_blocks\.(\d+)", r"zero_convs.\1.0", name),
            ("controlnet_mid_block", "middle_block_out.0"),
            ("controlnet_cond_embedding.conv_in", "input_hint_block.0"),
            ("controlnet_cond_embedding.conv_out", "input_hint_block.14"),
        )
    return _unet_name(name, layers, [])


def vae_tensors(vae: AutoencoderKL) -> Tensors:
    count = len(vae.config.block_out_channels)
    tensors = {}
    for name, tensor in vae.state_dict().items():
        own = re.sub(r"down_blocks\.(\d+)\.resnets\.(\d+)", r"down.\1.block.\2", name)
        own = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", own)
        own = re.sub(
            r"up_blocks\.(\d+)\.resnets\.(\d+)", lambda m: f"up.{count - 1 - int(m[1])}.block.{m[2]}", own
        )
        own = re.sub(
            r"up_blocks\.(\d+)\.upsamplers\.0", lambda m: f"up.{count - 1 - int(m[1])}.upsample", own
        )
        own = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", own)
        own = _replaced(own, ("conv_norm_out", "norm_out"), ("conv_shortcut", "nin_shortcut"))
        if "mid_block.attentions.0" in own:
            own = _replaced(
                own,
                ("mid_block.attentions.0", "mid.attn_1"),
                ("group_norm", "norm"),
                ("to_q", "q"),
                ("to_k", "k"),
                ("to_v", "v"),
                ("to_out.0", "proj_out"),
            )
            if tensor.ndim == 2:
                tensor = tensor[:, :, None, None]
        tensors[own] = tensor
    return tensors


def _clip(encoder: CLIPTextModel) -> Tensors:
    return {f"text_model.{name.removeprefix('text_model.')}": t for name, t in encoder.state_dict().items()}


def _open_clip(encoder: Any, skipped_layers: int = 0) -> Tensors:
    state = {name.removeprefix("text_model."): tensor for name, tensor in encoder.state_dict().items()}
    tensors: Tensors = {"logit_scale": torch.ones(())}
    for name, tensor in state.items():
        if "_proj." in name and "self_attn" in name and "out_proj" not in name:
            continue
        own = _replaced(
            name,
            ("embeddings.token_embedding", "token_embedding"),
            ("embeddings.position_embedding.weight", "positional_embedding"),
            ("final_layer_norm", "ln_final"),
            ("encoder.layers.", "transformer.resblocks."),
            ("layer_norm1", "ln_1"),
            ("layer_norm2", "ln_2"),
            ("mlp.fc1", "mlp.c_fc"),
            ("mlp.fc2", "mlp.c_proj"),
            ("self_attn", "attn"),
        )
        if name == "text_projection.weight":
            own, tensor = "text_projection", tensor.T
        tensors[own] = tensor
    layers = encoder.config.num_hidden_layers
    for layer in range(layers):
        for kind in ("weight", "bias"):
            parts = [state[f"encoder.layers.{layer}.self_attn.{one}_proj.{kind}"] for one in "qkv"]
            tensors[f"transformer.resblocks.{layer}.attn.in_proj_{kind}"] = torch.cat(parts)
    for layer in range(layers, layers + skipped_layers):
        tensors |= {
            name.replace("resblocks.0.", f"resblocks.{layer}."): tensor + 1
            for name, tensor in list(tensors.items())
            if "resblocks.0." in name
        }
    return tensors
