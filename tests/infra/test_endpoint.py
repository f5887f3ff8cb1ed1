from typing import Any

from aws_cdk.assertions import Template

from contract.safety import SafetyMode
from contract.source import HubSource
from infra.config import ModelConfig
from infra.endpoint_names import endpoint_name
from tests.infra.conftest import Templates, only, synthesize, text, told


def may(template: Template, action: str) -> str:
    """What the endpoint's role may do that to."""
    statements = only(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    allowed = [each["Resource"] for each in statements if action in [each["Action"], *each["Action"]]]
    return text(allowed)


def model(name: str = "demo", **settings: Any) -> dict[str, Any]:
    return {"name": name, "instance_types": ["ml.g5.xlarge"], **settings}


def test_each_model_gets_an_endpoint_of_its_own(small: Templates, large: Templates) -> None:
    assert set(small.endpoints) == {"demo"}
    assert set(large.endpoints) == {"first", "second"}
    for template in (*small.endpoints.values(), *large.endpoints.values()):
        template.resource_count_is("AWS::SageMaker::Endpoint", 1)


def test_the_container_is_told_its_model_and_buckets_in_the_contracts_words(large: Templates) -> None:
    environment = told(large.endpoints["first"])
    assert (environment.data_bucket_name, environment.models_bucket_name) == ("data", "models")
    assert (environment.model.name, environment.model.limits.max_count) == ("first", 2)
    assert (environment.stage, environment.log_prompts) == ("test", True)
    assert (environment.max_batch_size, environment.fixed_batch_size) == (4, True)


def test_the_container_is_told_how_to_draw_and_what_to_do_with_the_images(
    small: Templates, large: Templates
) -> None:
    told_much, told_little = told(large.endpoints["first"]), told(small.endpoints["demo"])
    assert (told_much.compile, told_little.compile) == (True, False)
    assert (told_much.safety_mode, told_little.safety_mode) == (SafetyMode.BLUR, SafetyMode.OFF)
    assert told_much.safety_checker == "s3://models/adapters/safety_checkers/strict/"
    assert told_little.safety_checker is None
    assert (told_much.watermark, told_little.watermark) == ("made by a machine", None)


def test_the_container_is_told_of_companions_and_of_the_memory_for_all(large: Templates) -> None:
    environment = told(large.endpoints["first"])
    assert list(environment.served) == ["first", "anime", "photo"]
    assert environment.served["anime"].limits.max_count == 1
    sources = [each.source.prefix(each.name, "models").uri for each in environment.companions]
    assert sources == ["s3://models/anime/", "s3://team-models/photo/v3/"]
    assert environment.model_memory_gib == 12.5
    assert told(large.endpoints["second"]).model_memory_gib is None


def test_no_variable_is_longer_than_sagemaker_takes() -> None:
    limits = {"min_size": 128, "max_size": 2048, "max_steps": 60, "max_count": 8, "max_output_size": 2048}
    companions = [{"name": f"companion-{number:02}", "limits": limits} for number in range(16)]
    template = synthesize({"models": [model(companions=companions)]}).endpoints["demo"]
    variables = only(template, "AWS::SageMaker::Model")["PrimaryContainer"]["Environment"]
    assert max(len(each) for each in variables.values() if isinstance(each, str)) == 1024
    assert len(told(template).companions) == 16


def test_the_model_is_read_uncompressed_from_its_own_prefix(large: Templates) -> None:
    for name, template in large.endpoints.items():
        source = only(template, "AWS::SageMaker::Model")["PrimaryContainer"]["ModelDataSource"][
            "S3DataSource"
        ]
        assert (source["CompressionType"], source["S3DataType"]) == ("None", "S3Prefix")
        assert source["S3Uri"]["Fn::Join"][1][-1] == f"/{name}/"


def test_success_goes_to_the_success_topic_and_failure_to_the_error_topic(small: Templates) -> None:
    output = only(small.endpoints["demo"], "AWS::SageMaker::EndpointConfig")["AsyncInferenceConfig"][
        "OutputConfig"
    ]
    topics = output["NotificationConfig"]
    assert "NoticesSuccess" in text(topics["SuccessTopic"])
    assert "NoticesError" in text(topics["ErrorTopic"])
    assert output["S3OutputPath"]["Fn::Join"][1][-1] == "/results/"
    assert output["S3FailurePath"]["Fn::Join"][1][-1] == "/failures/"


def test_the_variant_is_as_configured(small: Templates, large: Templates) -> None:
    expected = {
        "demo": ("ml.g4dn.xlarge", 1, 1800, 900, 8),
        "first": ("ml.g5.xlarge", 2, 100, 200, 9),
        "second": (None, 1, 1800, 900, 8),
    }
    for name, template in (small.endpoints | large.endpoints).items():
        config = only(template, "AWS::SageMaker::EndpointConfig")
        (variant,) = config["ProductionVariants"]
        client = config["AsyncInferenceConfig"]["ClientConfig"]
        assert expected[name] == (
            variant.get("InstanceType"),
            variant["InitialInstanceCount"],
            variant["ModelDataDownloadTimeoutInSeconds"],
            variant["ContainerStartupHealthCheckTimeoutInSeconds"],
            client["MaxConcurrentInvocationsPerInstance"],
        )
        assert variant["InferenceAmiVersion"] == "al2023-ami-sagemaker-inference-gpu-4-1"


def test_several_instance_types_are_pools_in_the_order_of_preference(large: Templates) -> None:
    (variant,) = only(large.endpoints["second"], "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    assert variant["InstancePools"] == [
        {"InstanceType": "ml.g6e.xlarge", "Priority": 1},
        {"InstanceType": "ml.g6.xlarge", "Priority": 2},
        {"InstanceType": "ml.g4dn.xlarge", "Priority": 3},
    ]


def test_an_update_keeps_the_instances_that_scaling_has_chosen(small: Templates) -> None:
    assert only(small.endpoints["demo"], "AWS::SageMaker::Endpoint")["RetainAllVariantProperties"] is True


def test_other_instance_types_make_another_endpoint_beside_the_old_one() -> None:
    """SageMaker refuses to change the types of an endpoint that scales."""
    names = set()
    for types in (["ml.g5.xlarge"], ["ml.g6.xlarge"], ["ml.g6.xlarge", "ml.g5.xlarge"]):
        model = ModelConfig.model_validate({"name": "demo", "instance_types": types})
        names.add(endpoint_name("test", model))
    assert len(names) == 3


def test_the_longest_name_is_one_that_sagemaker_takes() -> None:
    model = ModelConfig.model_validate({"name": "m" * 32, "instance_types": ["ml.g5.xlarge"]})
    assert len(endpoint_name("s" * 16, model)) <= 63


def test_no_stack_imports_an_endpoints_name_which_may_change(large: Templates) -> None:
    """CloudFormation does not change an export while another stack imports it."""
    for template in large.endpoints.values():
        assert not [o for o in template.find_outputs("*").values() if "Export" in o]


def test_the_api_is_told_of_an_endpoint_when_it_is_there_and_scales(small: Templates) -> None:
    template = small.endpoints["demo"]
    ((_, parameter),) = template.find_resources("AWS::SSM::Parameter").items()
    assert parameter["Properties"]["Name"] == "/stable-diffusion/test/endpoints/demo"
    (endpoint,) = template.find_resources("AWS::SageMaker::Endpoint")
    assert parameter["Properties"]["Value"] == {"Fn::GetAtt": [endpoint, "EndpointName"]}
    scaling = {
        *template.find_resources("AWS::ApplicationAutoScaling::ScalableTarget"),
        *template.find_resources("AWS::ApplicationAutoScaling::ScalingPolicy"),
    }
    assert scaling <= set(parameter["DependsOn"])


def test_the_endpoints_log_expires(small: Templates, large: Templates) -> None:
    for template, days in ((small.endpoints["demo"], 30), (large.endpoints["first"], 7)):
        ((logical_id, group),) = template.find_resources("AWS::Logs::LogGroup").items()
        ((_, endpoint),) = template.find_resources("AWS::SageMaker::Endpoint").items()
        assert group["Properties"]["LogGroupName"] == (
            f"/aws/sagemaker/Endpoints/{endpoint['Properties']['EndpointName']}"
        )
        assert group["Properties"]["RetentionInDays"] == days
        assert logical_id in endpoint["DependsOn"]


def test_weights_from_the_hub_come_with_the_token_that_the_role_may_read() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:hub-AbCdEf"
    source = {
        "type": "huggingface",
        "id": "owner/model",
        "revision": "0" * 40,
        "token_secret_arn": arn,
    }
    template = synthesize({"models": [model(source=source)]}).endpoints["demo"]
    assert "ModelDataSource" not in only(template, "AWS::SageMaker::Model")["PrimaryContainer"]
    assert told(template).model_source == HubSource.model_validate(source)
    assert may(template, "secretsmanager:GetSecretValue") == text([arn])


def test_companions_come_from_wherever_theirs_lie_and_the_first_model_by_sagemaker() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:hub-AbCdEf"
    hub = {"type": "huggingface", "id": "owner/model", "revision": "0" * 40, "token_secret_arn": arn}
    companions = [{"name": "near"}, {"name": "far", "source": hub}]
    template = synthesize({"models": [model(companions=companions)]}).endpoints["demo"]
    source = only(template, "AWS::SageMaker::Model")["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert source["S3Uri"]["Fn::Join"][1][-1] == "/demo/"
    assert "/near/*" in may(template, "s3:GetObject")
    assert may(template, "secretsmanager:GetSecretValue") == text([arn])
    environment = told(template)
    assert environment.model_source is None
    assert environment.companions[1].source == HubSource.model_validate(hub)


def test_a_model_may_lie_in_a_bucket_of_somebody_else() -> None:
    source = {"type": "s3", "uri": "s3://team-models/sd15/v3/"}
    template = synthesize({"models": [model(source=source)]}).endpoints["demo"]
    s3_source = only(template, "AWS::SageMaker::Model")["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert s3_source["S3Uri"] == "s3://team-models/sd15/v3/"
    reads = may(template, "s3:GetObject")
    assert ":s3:::team-models/sd15/v3/*" in reads
    assert "/demo/*" not in reads


def test_the_model_waits_for_the_permissions_of_its_role(small: Templates) -> None:
    template = small.endpoints["demo"]
    ((_, model),) = template.find_resources("AWS::SageMaker::Model").items()
    (policy,) = template.find_resources("AWS::IAM::Policy")
    assert policy in model["DependsOn"]


def test_the_role_reads_its_own_model_and_writes_only_what_it_makes(large: Templates) -> None:
    reads, writes = (may(large.endpoints["first"], f"s3:{verb}Object") for verb in ("Get", "Put"))
    assert all(
        part in reads for part in ("/first/*", "/requests/*", "/inputs/*", "/outputs/*", "/cancellations/*")
    )
    assert all(part in reads for part in ("/anime/*", ":s3:::team-models/photo/v3/*"))
    assert "/second/*" not in reads
    assert all(part in writes for part in ("/outputs/*", "/results/*", "/failures/*", "/progress/*"))
    unchanged = ("/inputs/*", "/requests/*", "/cancellations/*", "/first/*", "/anime/*")
    assert not any(part in writes for part in unchanged)


def test_the_role_reads_and_lists_adapters_and_changes_none(small: Templates) -> None:
    template = small.endpoints["demo"]
    assert "/adapters/*" in may(template, "s3:GetObject")
    assert "StorageModels" in may(template, "s3:ListBucket")
    assert "/adapters/*" not in may(template, "s3:PutObject")


def test_compiled_code_is_kept_and_read_where_it_is_used(large: Templates) -> None:
    for name, used in (("first", True), ("second", False)):
        for action in ("s3:GetObject", "s3:PutObject"):
            assert ("/compiled/*" in may(large.endpoints[name], action)) is used
