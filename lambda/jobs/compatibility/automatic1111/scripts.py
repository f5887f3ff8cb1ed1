"""The web UI's scripts that run with every request: its ControlNet extension is the only one."""

from collections.abc import Mapping
from typing import Any

from contract.generation import InvalidRequestError
from contract.problem import MAX_ECHOED_CHARACTERS, FieldError
from contract.size import Size
from jobs.compatibility.automatic1111.controlnets import UnitFields, parse_units

CONTROLNET = "controlnet"
_FIELD = "alwayson_scripts"


def units_of(
    scripts: Mapping[str, Any], *, default_image: str | None, size: Size | None
) -> tuple[UnitFields, ...]:
    """The units of the ControlNet extension that are enabled.

    Scripts without arguments, and those whose first argument is false, are not enabled.

    Args:
        scripts: the arguments of each script by its name.
        default_image: see `ControlNetUnit.own_fields`.
        size: see `ControlNetUnit.own_fields`.

    Raises:
        InvalidRequestError: a script is not available, or a unit is invalid; the error names it.
    """
    units: tuple[UnitFields, ...] = ()
    for name, given in scripts.items():
        pointer = f"#/{_FIELD}/{name[:MAX_ECHOED_CHARACTERS].replace('~', '~0').replace('/', '~1')}"
        arguments = given.get("args") if isinstance(given, Mapping) else None
        if not isinstance(arguments, list):
            raise _invalid(pointer, 'must be an object such as {"args": []}')
        if name.casefold() == CONTROLNET:
            if units:
                raise _invalid(pointer, "is given twice; remove one")
            units = parse_units(arguments, within=f"{pointer}/args", default_image=default_image, size=size)
        elif arguments and arguments[0] is not False:
            raise _invalid(pointer, "is not available: there are no extensions but ControlNet; remove it")
    return units


def _invalid(pointer: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError((FieldError(pointer=pointer, detail=detail),))
