"""Errors about fields, under the names that a client used for them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from contract.generation import InvalidRequestError
from contract.problem import FieldError, ProblemError, describe


@contextmanager
def fields_named(names: Mapping[str, str], *, within: str = "#") -> Iterator[None]:
    """Renames the fields in the errors that are raised in the context.

    Args:
        names: the client's name of each field, or of a part of it (`loras/0/name`), where it is another one.
        within: JSON pointer of the object that the fields are in.
    """
    try:
        yield
    except ProblemError as error:
        if error.errors:
            renamed = (
                FieldError(pointer=_renamed(each.pointer, names, within), detail=each.detail)
                for each in error.errors
            )
            error.errors = tuple(dict.fromkeys(renamed))  # one field of the client may be several here
        if isinstance(error, InvalidRequestError) and error.errors[0].pointer != "#":
            error.detail = describe(error.errors)
        raise


def _renamed(pointer: str, names: Mapping[str, str], within: str) -> str:
    if pointer == "#":
        return pointer
    path = pointer.removeprefix("#/")
    name, slash, rest = path.partition("/")
    return f"{within}/" + (names.get(path) or f"{names.get(name, name)}{slash}{rest}")
