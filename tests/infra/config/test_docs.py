import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from infra.config import DeploymentConfig, docs


def classes(annotation: Any) -> Iterator[type[BaseModel]]:
    """The configuration classes in an annotation and, recursively, in their fields."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from classes(field.annotation)
    for argument in get_args(annotation):
        yield from classes(argument)


def test_every_setting_has_a_row_with_a_description() -> None:
    page = docs.markdown()
    for model in set(classes(DeploymentConfig)):
        section = page.partition(f"## {model.__name__}\n")[2].partition("\n## ")[0]
        settings = [name for name in model.model_fields if (model, name) != (DeploymentConfig, "stage")]
        rows = dict(re.findall(r"^\| `(\w+)` \|.* \| ([^|]+) \|$", section, re.MULTILINE))
        assert list(rows) == settings
        assert all(description.strip() for description in rows.values())


def test_every_link_to_a_section_has_its_section() -> None:
    page = docs.markdown()
    headings = {title.lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([a-z-]+)\)", page)) <= headings


def test_limits_and_defaults_are_shown() -> None:
    page = docs.markdown()
    assert "| `burst_limit` | integer, more than 0, at most 5000 | `40` |" in page
    assert "| `keep_data` | true or false | `true` |" in page
    assert "| `emails` | list of text, `^[^\\s@]+@[^\\s@]+$` | none |" in page
    assert "| `image` | [CodeBuildImage](#codebuildimage) or " in page
