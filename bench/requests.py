"""The requests of a load: the same for all, or mixed."""

from collections.abc import Mapping, Sequence
from typing import Any

from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration
from contract.request import JobRequest

_PROMPTS = (
    "a red circle on a white background",
    "a big blue star on a yellow background",
    "a small green heart on a black background",
    "a striped purple ring on an orange background",
)

SAME = "the same"
_MIXES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    SAME: ({},),
    "samplers": tuple(
        {"sampler": each} for each in ("euler_a", "dpmpp_2m_karras", "ddim", "unipc", "euler", "lms")
    ),
    "guidance": ({}, {}, {"guidance_scale": 1.0}),
    "steps": ({"steps": 12}, {}, {"steps": 28}),
    "sizes": ({}, {}, {"scale": (1, 1.5)}, {"scale": (1.5, 1)}),
    "loras": (
        {},
        {"loras": [{"name": "moon", "weight": 1.0}]},
        {},
        {"loras": [{"name": "moon-dora", "weight": 0.8}]},
        {},
        {"loras": [{"name": "moon", "weight": 0.5}]},
    ),
    "everything": (
        {"sampler": "euler_a"},
        {"sampler": "dpmpp_2m_karras", "steps": 25},
        {"sampler": "ddim", "guidance_scale": 1.0},
        {"sampler": "unipc", "scale": (1, 1.5), "steps": 15},
        {"sampler": "euler", "guidance_scale": 5.0},
        {"sampler": "euler_a", "loras": [{"name": "moon", "weight": 1.0}]},
        {"sampler": "lms"},
    ),
}
"""Fields of requests that take turns. `scale`: factors of width and height."""

MIXES = tuple(_MIXES)


def requests(mix: str, count: int, *, size: int, steps: int, sampler: str) -> list[Generation]:
    """Requests of a mix, each for one image; the arguments apply where the mix has no value of its own."""
    model = ModelDeclaration(name="bench")
    kinds = _MIXES[mix]
    made = []
    for index in range(count):
        fields = dict(kinds[index % len(kinds)])
        horizontal, vertical = fields.pop("scale", (1, 1))
        request = {
            "prompt": _PROMPTS[index % len(_PROMPTS)],
            "seed": index,
            "width": _multiple_of_64(size * horizontal),
            "height": _multiple_of_64(size * vertical),
            "steps": steps,
            "sampler": sampler,
            **fields,
        }
        job = JobRequest.model_validate(request)
        made.append(Generation.resolve(job, model, job_id=new_job_id(), seed=0))
    return made


def _multiple_of_64(pixels: float) -> int:
    return round(pixels / 64) * 64
