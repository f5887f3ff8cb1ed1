"""Models by the names that OpenAI's clients use."""

import pytest

from contract.model import ModelDeclaration
from jobs.catalog import ModelCatalog
from jobs.compatibility.openai.models import ModelNames
from jobs.errors import ModelNotFoundError
from tests.jobs.fakes import DEMO, OTHER

CATALOG = ModelCatalog([DEMO, OTHER], "demo")


@pytest.mark.parametrize("name", [None, "dall-e-2", "dall-e-3", "gpt-image-1", "gpt-image-2.5-flare"])
def test_openais_own_models_stand_for_the_default_model_unless_a_stage_says_otherwise(
    name: str | None,
) -> None:
    assert ModelNames(CATALOG, None).find(name) == DEMO


def test_aliases_of_the_stage_replace_the_default_ones() -> None:
    names = ModelNames(CATALOG, {"gpt-image-1": "other"})
    assert names.find("gpt-image-1") == OTHER
    with pytest.raises(ModelNotFoundError, match="There is no model 'dall-e-3'; use one of demo, other"):
        names.find("dall-e-3")


def test_without_aliases_models_have_their_own_names_only() -> None:
    names = ModelNames(CATALOG, {})
    assert (names.find("other"), names.find(None)) == (OTHER, DEMO)
    with pytest.raises(ModelNotFoundError):
        names.find("dall-e-3")


def test_a_model_of_the_same_name_goes_first() -> None:
    mini = ModelDeclaration(name="dall-e-mini")
    assert ModelNames(ModelCatalog([DEMO, mini], "demo"), None).find("dall-e-mini") == mini


@pytest.mark.parametrize("name", ["gpt-4o", "sdxl"])
def test_other_names_are_not_found(name: str) -> None:
    with pytest.raises(ModelNotFoundError):
        ModelNames(CATALOG, None).find(name)
