from pathlib import Path

import pytest

from operations.doctor.check import Status, passed
from operations.doctor.configuration import Configuration
from tests.operations.configs import stage
from tests.operations.doctor.cdk_json import write_cdk_json, write_stage


def test_a_valid_stage_passes_and_is_stored(tmp_path: Path) -> None:
    configuration = Configuration("dev", write_stage(tmp_path))
    assert configuration.run() == passed("stage dev: demo on ml.g5.xlarge")
    assert configuration.config == stage()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"context": {"stages": {"dev": {"models": []}}}}', "stages.dev.models"),
        ('{"context": {"stages": {"dev": null}}}', "stages.dev must be an object"),
        ('{"context": {"stages": {"prod": {}, "qa": {}}}}', "no stage 'dev'; its stages are: prod, qa"),
        ('{"context": {}}', "cdk.json has no object context.stages"),
        ("[]", "cdk.json has no object context.stages"),
        ("{", "cdk.json cannot be read"),
    ],
)
def test_an_invalid_stage_fails_with_a_message_of_one_line(
    tmp_path: Path, content: str, message: str
) -> None:
    configuration = Configuration("dev", write_cdk_json(tmp_path, content))
    result = configuration.run()
    assert (result.status, message in result.message) == (Status.FAIL, True)
    assert "\n" not in result.message
    assert configuration.config is None


def test_a_missing_cdk_json_fails(tmp_path: Path) -> None:
    assert Configuration("dev", tmp_path).run().status is Status.FAIL
