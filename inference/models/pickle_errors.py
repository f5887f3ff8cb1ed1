"""The error of a pickle that is not read."""

from collections.abc import Iterable
from enum import StrEnum


class PickleRejection(StrEnum):
    """The reason why a pickle is rejected."""

    NOT_A_PICKLE = "not_a_pickle"
    """The first bytes are not those of a PyTorch file."""

    FORBIDDEN = "forbidden"
    """It refers to classes or functions other than those of tensors and plain values."""

    COMPRESSED = "compressed"
    """It is a zip archive with compressed or encrypted entries, which torch.save does not write."""

    TOO_COMPLEX = "too_complex"
    """It has more entries, tensors or pickle opcodes than any model."""

    UNSUPPORTED_KEYS = "unsupported_keys"
    """It has a dictionary with keys other than short texts and integers."""

    OVERSIZED = "oversized"
    """Its tensors are larger than the data that the file has for them."""

    DAMAGED = "damaged"


class PickleRejectedError(Exception):
    """A pickle was not read. Nothing that it refers to was imported or called.

    Attributes:
        reason: why it was rejected.
        names: the forbidden classes and functions that it refers to.
    """

    def __init__(self, reason: PickleRejection, names: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.names = tuple(names)
