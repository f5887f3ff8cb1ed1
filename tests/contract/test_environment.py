import json

import pytest

from contract.environment import (
    ApiEnvironment,
    ContainerEnvironment,
    InvalidEnvironmentError,
    ModelEndpoint,
)
from contract.model import ModelDeclaration, ModelLimits, ServedModel
from contract.source import HubSource, S3Source

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-AbCdEf"
DEMO = ModelDeclaration(name="demo", limits=ModelLimits(max_count=2))


def test_what_infra_writes_the_runtime_reads() -> None:
    written = ApiEnvironment(
        jobs_table_name="jobs",
        data_bucket_name="data",
        powertools_service_name="jobs",
        model_endpoints=(ModelEndpoint(model=DEMO, endpoint_parameter="/endpoint"),),
        default_model="demo",
        retention_days=7,
    )
    variables = written.variables()
    assert all(isinstance(value, str) for value in variables.values())
    assert ApiEnvironment.read(variables | {"PATH": "/bin"}) == written


def test_numbers_arrive_as_numbers() -> None:
    variables = {"MODEL": '{"name": "demo"}', "DATA_BUCKET_NAME": "data", "SAGEMAKER_BIND_TO_PORT": "9000"}
    assert ContainerEnvironment.read(variables).sagemaker_bind_to_port == 9000


def test_the_container_is_told_where_its_model_comes_from() -> None:
    source = HubSource(id="someone/a-model", revision="0" * 40, token_secret_arn=ARN)
    written = ContainerEnvironment(
        model=DEMO, data_bucket_name="data", stage="dev", model_source=source, log_prompts=True
    )
    assert ContainerEnvironment.read(written.variables()) == written


def test_the_container_is_told_of_every_companion_however_many_there_are() -> None:
    hub = HubSource(id="someone/a-model", revision="0" * 40, token_secret_arn=ARN)
    elsewhere = S3Source(uri="s3://team-models/photo/v3/")
    written = ContainerEnvironment(
        model=DEMO,
        data_bucket_name="data",
        models_bucket_name="models",
        companions=(
            ServedModel(name="anime"),
            ServedModel(name="photo", source=elsewhere),
            *(ServedModel(name=f"far-{number}", source=hub) for number in range(10)),
        ),
        model_memory_gib=20,
    )
    variables = written.variables()
    assert {"COMPANIONS", "COMPANIONS_2"} < variables.keys()
    assert max(map(len, variables.values())) == 1024
    assert ContainerEnvironment.read(variables) == written


def test_a_companion_in_the_models_bucket_needs_its_name() -> None:
    variables = {"MODEL": '{"name": "demo"}', "DATA_BUCKET_NAME": "data", "COMPANIONS": '[{"name": "anime"}]'}
    with pytest.raises(
        InvalidEnvironmentError, match=r"COMPANIONS: .*MODELS_BUCKET_NAME must say where anime"
    ):
        ContainerEnvironment.read(variables)
    read = ContainerEnvironment.read(variables | {"MODELS_BUCKET_NAME": "models"})
    assert list(read.served) == ["demo", "anime"]


def test_what_is_left_out_is_local_without_a_source_and_without_prompts_in_the_log() -> None:
    variables = ContainerEnvironment(model=DEMO, data_bucket_name="data").variables()
    assert variables.keys() == {"MODEL", "DATA_BUCKET_NAME"}
    read = ContainerEnvironment.read(variables)
    assert (read.stage, read.model_source, read.log_prompts) == ("local", None, False)


def test_a_switch_that_says_false_is_off() -> None:
    variables = {"MODEL": '{"name": "demo"}', "DATA_BUCKET_NAME": "data", "LOG_PROMPTS": "false"}
    assert ContainerEnvironment.read(variables).log_prompts is False


@pytest.mark.parametrize("number", ["0", "3", "128", "eight"])
def test_a_bucket_of_a_size_that_there_is_not_is_refused(number: str) -> None:
    variables = {"MODEL": '{"name": "demo"}', "DATA_BUCKET_NAME": "data", "MAX_BATCH_SIZE": number}
    with pytest.raises(InvalidEnvironmentError, match="MAX_BATCH_SIZE"):
        ContainerEnvironment.read(variables)
    assert ContainerEnvironment.read(variables | {"MAX_BATCH_SIZE": "16"}).max_batch_size == 16


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "a-model"),
        ("id", "../a-model"),
        ("id", "someone/../a"),
        ("id", "https://huggingface.co/someone/a-model"),
        ("revision", "main"),
        ("revision", "0" * 39),
        ("revision", "A" * 40),
        ("token_secret_arn", "hf_abc"),
        ("token_secret_arn", "arn:aws:s3:::bucket"),
        ("type", "s3"),
        ("token", "hf_abc"),
    ],
)
def test_a_source_that_is_wrong_is_named_by_its_field(field: str, value: str) -> None:
    source = {"id": "someone/a-model", "revision": "0" * 40, field: value}
    variables = {"MODEL": '{"name": "demo"}', "DATA_BUCKET_NAME": "data", "MODEL_SOURCE": json.dumps(source)}
    with pytest.raises(InvalidEnvironmentError, match=rf"variables: MODEL_SOURCE\.{field}: ") as caught:
        ContainerEnvironment.read(variables)
    assert value not in str(caught.value).replace("someone/", "")


def test_all_missing_variables_are_named_at_once() -> None:
    with pytest.raises(InvalidEnvironmentError, match=r"MODEL: .*; DATA_BUCKET_NAME: "):
        ContainerEnvironment.read({})


def test_a_wrong_variable_is_named() -> None:
    variables = ContainerEnvironment(model=DEMO, data_bucket_name="data").variables()
    with pytest.raises(InvalidEnvironmentError, match=r"SAGEMAKER_BIND_TO_PORT: .*integer"):
        ContainerEnvironment.read(variables | {"SAGEMAKER_BIND_TO_PORT": "http"})
