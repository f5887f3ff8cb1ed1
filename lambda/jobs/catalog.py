"""The catalog of deployed models."""

from collections.abc import Iterable, Iterator

from contract.model import ModelDeclaration
from jobs.errors import ModelNotFoundError


class ModelCatalog:
    """The deployed models by name; one of them is the default."""

    def __init__(self, models: Iterable[ModelDeclaration], default: str) -> None:
        self._models = {model.name: model for model in models}
        self.default = self.find(default)

    def __iter__(self) -> Iterator[ModelDeclaration]:
        return iter(self._models.values())

    def find(self, name: str | None) -> ModelDeclaration:
        """Returns the model with this name; the default model if `name` is None.

        Raises:
            ModelNotFoundError: no model has the name.
        """
        if name is None:
            return self.default
        try:
            return self._models[name]
        except KeyError:
            raise ModelNotFoundError(name, self._models) from None
