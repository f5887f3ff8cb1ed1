import json

import pytest
from pydantic import ValidationError

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


def test_an_environment_is_read_from_its_own_variables() -> None:
    written = ApiEnvironment(
        jobs_table_name="jobs",
        estimates_table_name="estimates",
        data_bucket_name="data",
        models_bucket_name="models",
        webhook_queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/webhooks",
        powertools_service_name="jobs",
        model_endpoints=(ModelEndpoint(model=DEMO, queue="demo", endpoint_parameter="/endpoint"),),
        default_model="demo",
        signing_secret_arn=ARN,
        retention_days=7,
    )
    variables = written.variables()
    assert all(isinstance(value, str) for value in variables.values())
    assert ApiEnvironment.read(variables | {"PATH": "/bin"}) == written


def test_numbers_are_parsed() -> None:
    variables = {"MODEL": '{"name": "demo"}', "DATA_BUCKET_NAME": "data", "SAGEMAKER_BIND_TO_PORT": "9000"}
    assert ContainerEnvironment.read(variables).sagemaker_bind_to_port == 9000


def test_the_models_source_is_read_from_its_variable() -> None:
    source = HubSource(id="someone/a-model", revision="0" * 40, token_secret_arn=ARN)
    written = ContainerEnvironment(
        model=DEMO, data_bucket_name="data", stage="dev", model_source=source, log_prompts=True
    )
    assert ContainerEnvironment.read(written.variables()) == written


def test_a_value_longer_than_one_variable_is_continued_in_further_variables() -> None:
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
    assert max(map(len, variables.values())) == 1024  # SageMaker's limit
    assert ContainerEnvironment.read(variables) == written


def test_a_companion_in_the_models_bucket_requires_the_buckets_name() -> None:
    variables = {"MODEL": '{"name": "demo"}', "DATA_BUCKET_NAME": "data", "COMPANIONS": '[{"name": "anime"}]'}
    with pytest.raises(
        InvalidEnvironmentError, match=r"COMPANIONS: .*MODELS_BUCKET_NAME is required for anime"
    ):
        ContainerEnvironment.read(variables)
    read = ContainerEnvironment.read(variables | {"MODELS_BUCKET_NAME": "models"})
    assert list(read.served) == ["demo", "anime"]


def test_default_values_need_no_variables() -> None:
    variables = ContainerEnvironment(model=DEMO, data_bucket_name="data").variables()
    assert variables.keys() == {"MODEL", "DATA_BUCKET_NAME"}
    read = ContainerEnvironment.read(variables)
    assert (read.stage, read.model_source, read.log_prompts) == ("local", None, False)


def test_the_text_false_is_false() -> None:
    variables = {"MODEL": '{"name": "demo"}', "DATA_BUCKET_NAME": "data", "LOG_PROMPTS": "false"}
    assert ContainerEnvironment.read(variables).log_prompts is False


@pytest.mark.parametrize(
    ("variable", "accepted", "refused"),
    [
        ("MAX_BATCH_SIZE", ["1", "16", "64"], ["0", "3", "-1", "128", "eight"]),
        ("DRAIN_S", ["0", "20"], ["-0.1", "20.1"]),
        ("MODEL_MEMORY_GIB", ["0.1"], ["0", "-1"]),
        ("WATERMARK", ["w" * 80], ["w" * 81]),
        ("SAFETY_MODE", ["off", "flag", "blur", "block"], ["on"]),
    ],
)
def test_values_are_accepted_within_their_limits(
    variable: str, accepted: list[str], refused: list[str]
) -> None:
    variables = {"MODEL": '{"name": "demo"}', "DATA_BUCKET_NAME": "data"}
    for value in accepted:
        assert ContainerEnvironment.read({**variables, variable: value}).data_bucket_name == "data"
    for value in refused:
        with pytest.raises(InvalidEnvironmentError, match=f"{variable}: "):
            ContainerEnvironment.read({**variables, variable: value})


@pytest.mark.parametrize(
    ("field", "accepted", "refused"),
    [("invocation_timeout_s", (1, 3600), (0, 3601)), ("request_ttl_s", (60, 21_600), (59, 21_601))],
)
def test_the_time_limits_of_an_endpoint_are_those_of_sagemaker(
    field: str, accepted: tuple[int, ...], refused: tuple[int, ...]
) -> None:
    endpoint = {"model": DEMO, "queue": "demo", "endpoint_parameter": "/endpoint"}
    assert [getattr(ModelEndpoint(**endpoint, **{field: each}), field) for each in accepted] == [*accepted]
    for each in refused:
        with pytest.raises(ValidationError, match=field):
            ModelEndpoint(**endpoint, **{field: each})


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
def test_an_invalid_source_is_named_by_its_field_and_not_quoted(field: str, value: str) -> None:
    source = {"id": "someone/a-model", "revision": "0" * 40, field: value}
    variables = {"MODEL": '{"name": "demo"}', "DATA_BUCKET_NAME": "data", "MODEL_SOURCE": json.dumps(source)}
    with pytest.raises(InvalidEnvironmentError, match=rf"variables: MODEL_SOURCE\.{field}: ") as caught:
        ContainerEnvironment.read(variables)
    assert value not in str(caught.value).replace("someone/", "")


def test_all_missing_variables_are_named() -> None:
    with pytest.raises(InvalidEnvironmentError, match=r"MODEL: .*; DATA_BUCKET_NAME: "):
        ContainerEnvironment.read({})


def test_an_invalid_variable_is_named() -> None:
    variables = ContainerEnvironment(model=DEMO, data_bucket_name="data").variables()
    with pytest.raises(InvalidEnvironmentError, match=r"SAGEMAKER_BIND_TO_PORT: .*integer"):
        ContainerEnvironment.read(variables | {"SAGEMAKER_BIND_TO_PORT": "http"})
