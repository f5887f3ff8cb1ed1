import pytest

from inference.contract.environment import (
    ApiEnvironment,
    ContainerEnvironment,
    InvalidEnvironmentError,
    ModelEndpoint,
)
from inference.contract.model import ModelDeclaration, ModelLimits

DEMO = ModelDeclaration(name="demo", limits=ModelLimits(max_count=2))


def test_what_infra_writes_the_runtime_reads() -> None:
    written = ApiEnvironment(
        jobs_table_name="jobs",
        data_bucket_name="data",
        powertools_service_name="jobs",
        model_endpoints=(ModelEndpoint(model=DEMO, endpoint_name="endpoint"),),
        default_model="demo",
        retention_days=7,
    )
    variables = written.variables()
    assert all(isinstance(value, str) for value in variables.values())
    assert ApiEnvironment.read(variables | {"PATH": "/bin"}) == written


def test_numbers_arrive_as_numbers() -> None:
    variables = {"MODEL": '{"name": "demo"}', "DATA_BUCKET_NAME": "data", "SAGEMAKER_BIND_TO_PORT": "9000"}
    assert ContainerEnvironment.read(variables).sagemaker_bind_to_port == 9000


def test_all_missing_variables_are_named_at_once() -> None:
    with pytest.raises(InvalidEnvironmentError, match=r"MODEL: .*; DATA_BUCKET_NAME: "):
        ContainerEnvironment.read({})


def test_a_wrong_variable_is_named() -> None:
    variables = ContainerEnvironment(model=DEMO, data_bucket_name="data").variables()
    with pytest.raises(InvalidEnvironmentError, match=r"SAGEMAKER_BIND_TO_PORT: .*integer"):
        ContainerEnvironment.read(variables | {"SAGEMAKER_BIND_TO_PORT": "http"})
