from inference.contract.environment import ContainerEnvironment
from inference.contract.source import HubSource
from infra.config import ModelConfig
from infra.names import endpoint_name
from tests.infra.conftest import Templates, only, synthesize, text


def test_each_model_gets_an_endpoint_of_its_own(small: Templates, large: Templates) -> None:
    assert set(small.endpoints) == {"demo"}
    assert set(large.endpoints) == {"first", "second"}
    for template in (*small.endpoints.values(), *large.endpoints.values()):
        template.resource_count_is("AWS::SageMaker::Endpoint", 1)


def test_the_container_is_told_its_model_and_bucket_in_the_contracts_words(large: Templates) -> None:
    variables = only(large.endpoints["first"], "AWS::SageMaker::Model")["PrimaryContainer"]["Environment"]
    assert "ImportValue" in text(variables["DATA_BUCKET_NAME"])
    environment = ContainerEnvironment.read(variables | {"DATA_BUCKET_NAME": "data"})
    assert (environment.model.name, environment.model.limits.max_count) == ("first", 2)
    assert (environment.stage, environment.log_prompts) == ("test", True)
    assert (environment.max_bucket, environment.strict_bucket) == (4, True)


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
    model = {"name": "demo", "instance_types": ["ml.g5.xlarge"], "source": source}
    template = synthesize({"models": [model]}).endpoints["demo"]
    container = only(template, "AWS::SageMaker::Model")["PrimaryContainer"]
    assert "ModelDataSource" not in container
    environment = ContainerEnvironment.read(container["Environment"] | {"DATA_BUCKET_NAME": "data"})
    assert environment.model_source == HubSource.model_validate(source)
    statements = only(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    (read,) = (s for s in statements if s["Action"] == "secretsmanager:GetSecretValue")
    assert read["Resource"] == arn


def test_a_model_may_lie_in_a_bucket_of_somebody_else() -> None:
    source = {"type": "s3", "uri": "s3://team-models/sd15/v3/"}
    model = {"name": "demo", "instance_types": ["ml.g5.xlarge"], "source": source}
    template = synthesize({"models": [model]}).endpoints["demo"]
    s3_source = only(template, "AWS::SageMaker::Model")["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert s3_source["S3Uri"] == "s3://team-models/sd15/v3/"
    policy = text(only(template, "AWS::IAM::Policy"))
    assert ":s3:::team-models/sd15/v3/*" in policy
    assert "StorageModels" not in policy


def test_the_model_waits_for_the_permissions_of_its_role(small: Templates) -> None:
    template = small.endpoints["demo"]
    ((_, model),) = template.find_resources("AWS::SageMaker::Model").items()
    (policy,) = template.find_resources("AWS::IAM::Policy")
    assert policy in model["DependsOn"]


def test_the_role_reads_its_own_model_and_writes_only_what_it_makes(large: Templates) -> None:
    statements = only(large.endpoints["first"], "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    by_action = {text(s["Action"]): text(s["Resource"]) for s in statements}
    reads, writes = by_action['"s3:GetObject"'], by_action['"s3:PutObject"']
    assert all(
        part in reads for part in ("/first/*", "/requests/*", "/inputs/*", "/outputs/*", "/cancellations/*")
    )
    assert "/second/*" not in reads
    assert all(part in writes for part in ("/outputs/*", "/results/*", "/failures/*", "/progress/*"))
    assert not any(part in writes for part in ("/inputs/*", "/requests/*", "/first/*", "/cancellations/*"))
