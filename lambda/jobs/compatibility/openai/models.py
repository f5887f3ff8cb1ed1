"""Models by the names that OpenAI's clients use."""

from collections.abc import Mapping

from contract.model import ModelDeclaration
from jobs.catalog import ModelCatalog

_OPENAI_NAMES = ("gpt-image-", "chatgpt-image-", "dall-e-")
"""The names of OpenAI's image models begin so. Clients have them built in."""


class ModelNames:
    """The deployed models, by their own names and by further ones."""

    def __init__(self, catalog: ModelCatalog, aliases: Mapping[str, str] | None) -> None:
        """Creates the names.

        Args:
            catalog: the deployed models.
            aliases: the models of further names; None: those of OpenAI's own image models stand for the
                default model.
        """
        self._catalog = catalog
        self._aliases = aliases

    def find(self, name: str | None) -> ModelDeclaration:
        """The model with this name; the default model if `name` is None.

        Raises:
            ModelNotFoundError: no model has the name.
        """
        if name is None or any(model.name == name for model in self._catalog):
            return self._catalog.find(name)
        if self._aliases is None and name.startswith(_OPENAI_NAMES):
            return self._catalog.default
        return self._catalog.find((self._aliases or {}).get(name, name))
