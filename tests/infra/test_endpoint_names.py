from infra.config import ModelConfig
from infra.endpoint_names import endpoint_name


def test_other_instance_types_give_another_name() -> None:
    """SageMaker rejects a change of the instance types of an endpoint with autoscaling."""
    names = set()
    for types in (["ml.g5.xlarge"], ["ml.g6.xlarge"], ["ml.g6.xlarge", "ml.g5.xlarge"]):
        model = ModelConfig.model_validate({"name": "demo", "instance_types": types})
        names.add(endpoint_name("test", model))
    assert len(names) == 3


def test_other_settings_keep_the_name() -> None:
    settings = {"name": "demo", "instance_types": ["ml.g5.xlarge"]}
    changed = settings | {"startup_timeout_s": 60, "scaling": {"max_instances": 3}}
    names = {endpoint_name("test", ModelConfig.model_validate(each)) for each in (settings, changed)}
    assert len(names) == 1


def test_the_longest_name_is_within_sagemakers_limit() -> None:
    model = ModelConfig.model_validate({"name": "m" * 32, "instance_types": ["ml.g5.xlarge"]})
    assert len(endpoint_name("s" * 16, model)) <= 63
