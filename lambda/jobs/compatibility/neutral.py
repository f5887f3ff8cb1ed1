"""Fields of other systems that this API cannot serve: only the values that change nothing are accepted."""

from typing import Any

from pydantic import AfterValidator


def only(*values: Any, refusal: str) -> AfterValidator:
    """Accepts null and these values, which change nothing.

    Args:
        values: the accepted values.
        refusal: of other values: the reason and the remedy.
    """

    def check(value: Any) -> Any:
        if value is not None and value not in values:
            raise ValueError(refusal)
        return value

    return AfterValidator(check)
