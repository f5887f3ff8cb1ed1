"""docs/configuration.md, generated from the schema."""

import types
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen, MultipleOf
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from infra.config.deployment import DeploymentConfig

_INTRODUCTION = """\
# Configuration

`context.stages` in [cdk.json](../cdk.json) contains one object per stage, and `cdk deploy -c stage=NAME`
deploys the stage NAME. This is a complete stage; every other setting has a default:

```json
{"models": [{"name": "demo", "instance_types": ["ml.g4dn.xlarge"]}]}
```

An unknown setting or an invalid value stops synthesis with a message that names it. `make doctor
STAGE=NAME` checks the stage, the account and the model files before a deployment. This page is generated
from the schema in [infra/config/](../infra/config) by `make docs`.

## Files of models and adapters

The output `ModelsBucketName` of the Storage stack is the name of the models bucket. NAME below is the
name that requests and settings use.

| files | location in the models bucket |
| --- | --- |
| a model or companion | `NAME/`, unless `source` names another S3 prefix or a Hugging Face repository |
| LoRAs | `adapters/loras/NAME.safetensors` |
| textual inversions | `adapters/embeddings/NAME.safetensors`, `.pt` or `.bin` |
| ControlNets | `adapters/controlnets/NAME/`, a directory in the diffusers layout, or a file of weights |
| VAEs | `adapters/vaes/NAME/`, a directory in the diffusers layout, or a file of weights |
| upscalers | `adapters/upscalers/`, a file of weights |
| safety checkers | `adapters/safety_checkers/NAME/`, a directory in the diffusers layout |

A file of weights is NAME with `.safetensors`, `.pt`, `.pth`, `.ckpt` or `.bin`. All but the first are
pickles, of which only tensors and plain values are read. The names of tensors
are in [compatibility.md](compatibility.md).

A model is a directory in the diffusers layout: `model_index.json` is directly below the prefix, and each
component (`unet/`, `vae/`, ...) has safetensors weights. A single checkpoint file also works, but every
container has to convert it when it starts; `make convert` converts it once. If such a file has no VAE, or
half of one, every request has to name one as `vae`, unless `defaults` does.

## Companions

Each model of a stage has its own endpoint with its own instances. Models that are used rarely can share an
endpoint: the `companions` of a model are served by the same instances. Callers request a companion by its
name, like any other model. Each instance downloads and loads a companion when its first job arrives. If the
weights of all models do not fit in the GPU memory, set `model_memory_gib`: the least recently used models are
then unloaded.

## Changing the instance types

A change of `instance_types`, for example to another GPU type, replaces the endpoint, and its waiting jobs are
submitted to the new one. [Operations](operations.md#changes) describes the procedure.

## Account, region and bootstrap stack

A stage with `environment` belongs to that account and region. For an isolated network, the CDK's CLI then
looks up the availability zones and stores them in cdk.context.json; keep this file in your repository.
`permissions_boundary` applies to the roles of the stage; `cdk bootstrap --custom-permissions-boundary NAME`
sets that of the CDK's own roles. A bootstrap stack with another qualifier is named in `context` of cdk.json,
for all stages: `"@aws-cdk/core:bootstrapQualifier": "QUALIFIER"`.
"""
_PLAIN = {str: "text", int: "integer", float: "number", bool: "true or false"}
_UNIONS = (Union, types.UnionType)


def markdown() -> str:
    """The complete page."""
    sections = ("\n".join(_section(model)) for model in _models(DeploymentConfig, set()))
    return "\n".join((_INTRODUCTION, *sections))


def _section(model: type[BaseModel]) -> Iterator[str]:
    yield f"## {model.__name__}\n"
    yield f"{(model.__doc__ or '').strip()}\n"
    yield "| setting | value | default | description |"
    yield "| --- | --- | --- | --- |"
    for name, field in model.model_fields.items():
        if (model, name) == (DeploymentConfig, "stage"):
            continue  # the key of the stage's object
        cells = (f"`{name}`", _value(field), _default(field), _description(field))
        yield f"| {' | '.join(cells)} |"
    yield ""


def _value(field: FieldInfo) -> str:
    limits = [text for each in field.metadata if (text := _limit(each))]
    return ", ".join([_kind(field.annotation), *limits])


def _kind(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        limits = [text for each in arguments[1:] for text in _limits_of(each)]
        return ", ".join([_kind(arguments[0]), *limits])
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in arguments)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return " or ".join(f"`{each}`" for each in annotation)
    if origin in _UNIONS:
        return " or ".join(_kind(each) for each in arguments if each is not type(None))
    if origin is tuple and Ellipsis not in arguments:
        return f"[{', '.join(map(_kind, arguments))}]"
    if origin is tuple:
        return f"list of {_kind(arguments[0])}"
    if origin is Mapping:
        return f"object of {_kind(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return _PLAIN[annotation]


def _limits_of(part: Any) -> Iterator[str]:
    for each in part.metadata if isinstance(part, FieldInfo) else (part,):
        if text := _limit(each):
            yield text


def _limit(constraint: Any) -> str:
    match constraint:
        case Ge(ge=bound):
            return f"at least {bound}"
        case Gt(gt=bound):
            return f"more than {bound}"
        case Le(le=bound):
            return f"at most {bound}"
        case Lt(lt=bound):
            return f"less than {bound}"
        case MultipleOf(multiple_of=step):
            return f"a multiple of {step}"
        case MinLen(min_length=length):
            return f"length at least {length}"
        case MaxLen(max_length=length):
            return f"length at most {length}"
        case _:
            pattern = getattr(constraint, "pattern", None)
            return f"`{pattern}`".replace("|", "\\|") if pattern else ""


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "see the description"
    default = field.default
    if default is PydanticUndefined:
        return "required"
    if isinstance(default, tuple) and default:
        return f"`{list(default)}`"
    if isinstance(default, BaseModel):
        given = default.model_dump(mode="json", exclude_defaults=True)
        tag = getattr(default, "type", None) or getattr(default, "source", None)
        return f"`{tag}`" if tag else (f"`{given}`" if given else "all defaults")
    if default is None or default in ((), {}):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _description(field: FieldInfo) -> str:
    if field.description is None and get_origin(field.annotation) is Literal:
        return "Selects this alternative."
    return " ".join((field.description or "").split())


def _models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """The class and the classes of its fields, recursively, each once, the outermost first."""
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for part in _parts(field.annotation):
            yield from _models(part, seen)


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)
