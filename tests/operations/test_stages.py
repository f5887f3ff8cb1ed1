import json
from pathlib import Path

import pytest

from operations.stages import CdkJsonError, read_context


def test_the_context_of_cdk_json_is_returned(tmp_path: Path) -> None:
    context = {"stages": {"dev": {}}, "@aws-cdk/core:flag": True}
    (tmp_path / "cdk.json").write_text(json.dumps({"app": "x", "context": context}))
    assert read_context(tmp_path) == context


@pytest.mark.parametrize("content", ["[]", "{}", '{"context": []}', '{"context": {"stages": []}}'])
def test_a_cdk_json_without_stages_is_rejected(tmp_path: Path, content: str) -> None:
    (tmp_path / "cdk.json").write_text(content)
    with pytest.raises(CdkJsonError, match=r"no object context\.stages"):
        read_context(tmp_path)


def test_an_unreadable_cdk_json_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(CdkJsonError, match=r"cdk\.json cannot be read"):
        read_context(tmp_path)
