import json
from typing import Any

import botocore.session

from contract.safety import SafetyMode
from contract.source import HubSource
from tests.infra.conftest import Templates, container_environment, only, synthesize, text
from tests.infra.endpoints import allowed, hub_source, model

MODEL = "AWS::SageMaker::Model"
CONFIG = "AWS::SageMaker::EndpointConfig"
ENDPOINT = "AWS::SageMaker::Endpoint"


def test_the_container_receives_its_model_and_buckets(large: Templates) -> None:
    environment = container_environment(large.endpoints["first"])
    assert (environment.data_bucket_name, environment.models_bucket_name) == ("data", "models")
    assert (environment.model.name, environment.model.limits.max_count) == ("first", 2)
    assert (environment.stage, environment.log_prompts) == ("test", True)
    assert (environment.max_batch_size, environment.fixed_batch_size) == (4, True)


def test_the_container_receives_the_settings_of_generation_and_of_images(
    small: Templates, large: Templates
) -> None:
    changed = container_environment(large.endpoints["first"])
    default = container_environment(small.endpoints["demo"])
    assert (changed.compile, default.compile) == (True, False)
    assert (changed.cuda_graphs, default.cuda_graphs) == (False, True)
    assert (changed.merge_loras, default.merge_loras) == (True, False)
    assert (changed.warm_up, default.warm_up) == (False, True)
    assert (changed.safety_mode, default.safety_mode) == (SafetyMode.BLUR, SafetyMode.OFF)
    assert changed.safety_checker == "s3://models/adapters/safety_checkers/strict/"
    assert default.safety_checker is None
    assert (changed.watermark, default.watermark) == ("generated image", None)
    assert changed.output_prefixes == ("s3://team-results/images/", "s3://archive/a/b/")
    assert default.output_prefixes == ()


def test_the_container_receives_the_quantization() -> None:
    settings = model(instance_types=["ml.g6.xlarge"], quantization="fp8")
    (endpoint,) = synthesize({"models": [settings]}).endpoints.values()
    assert container_environment(endpoint).quantization == "fp8"


def test_the_container_receives_the_companions_and_the_memory_for_all_models(large: Templates) -> None:
    environment = container_environment(large.endpoints["first"])
    assert list(environment.served) == ["first", "anime", "photo"]
    assert environment.served["anime"].limits.max_count == 1
    sources = [each.source.prefix(each.name, "models").uri for each in environment.companions]
    assert sources == ["s3://models/anime/", "s3://team-models/photo/v3/"]
    assert environment.model_memory_gib == 12.5
    assert container_environment(large.endpoints["second"]).model_memory_gib is None


def test_no_environment_variable_is_longer_than_sagemakers_limit() -> None:
    limits = {"min_size": 128, "max_size": 2048, "max_steps": 60, "max_count": 8, "max_output_size": 2048}
    companions = [{"name": f"companion-{number:02}", "limits": limits} for number in range(13)]
    template = synthesize({"models": [model(companions=companions)]}).endpoints["demo"]
    variables = only(template, MODEL)["PrimaryContainer"]["Environment"]
    assert max(len(each) for each in variables.values() if isinstance(each, str)) == 1024
    assert len(container_environment(template).companions) == 13


def test_sagemaker_downloads_the_uncompressed_model_from_its_own_prefix(large: Templates) -> None:
    for name, template in large.endpoints.items():
        source = only(template, MODEL)["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
        assert (source["CompressionType"], source["S3DataType"]) == ("None", "S3Prefix")
        assert source["S3Uri"]["Fn::Join"][1][-1] == f"/{name}/"


def test_sagemaker_downloads_a_model_from_another_bucket() -> None:
    source = {"type": "s3", "uri": "s3://team-models/sd15/v3/"}
    template = synthesize({"models": [model(source=source)]}).endpoints["demo"]
    data = only(template, MODEL)["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert data["S3Uri"] == "s3://team-models/sd15/v3/"


def test_the_container_downloads_a_model_from_the_hub() -> None:
    template = synthesize({"models": [model(source=hub_source())]}).endpoints["demo"]
    assert "ModelDataSource" not in only(template, MODEL)["PrimaryContainer"]
    assert container_environment(template).model_source == HubSource.model_validate(hub_source())


def test_a_companion_from_the_hub_does_not_change_the_source_of_the_first_model() -> None:
    companions = [{"name": "near"}, {"name": "far", "source": hub_source()}]
    template = synthesize({"models": [model(companions=companions)]}).endpoints["demo"]
    source = only(template, MODEL)["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert source["S3Uri"]["Fn::Join"][1][-1] == "/demo/"
    environment = container_environment(template)
    assert environment.model_source is None
    assert environment.companions[1].source == HubSource.model_validate(hub_source())


def test_results_and_failures_have_their_own_prefixes_and_topics(small: Templates) -> None:
    output = only(small.endpoints["demo"], CONFIG)["AsyncInferenceConfig"]["OutputConfig"]
    topics = output["NotificationConfig"]
    assert "CompletionQueueSuccess" in text(topics["SuccessTopic"])
    assert "CompletionQueueError" in text(topics["ErrorTopic"])
    assert output["S3OutputPath"]["Fn::Join"][1][-1] == "/results/"
    assert output["S3FailurePath"]["Fn::Join"][1][-1] == "/failures/"


def test_the_variant_has_the_configured_types_counts_and_timeouts(small: Templates, large: Templates) -> None:
    expected = {
        "demo": ("ml.g4dn.xlarge", 1, 1800, 900, 8),
        "first": ("ml.g5.xlarge", 2, 100, 200, 9),
        "second": (None, 1, 1800, 900, 8),
    }
    for name, template in (small.endpoints | large.endpoints).items():
        config = only(template, CONFIG)
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
    (variant,) = only(large.endpoints["second"], CONFIG)["ProductionVariants"]
    assert variant["InstancePools"] == [
        {"InstanceType": "ml.g6e.xlarge", "Priority": 1},
        {"InstanceType": "ml.g6.xlarge", "Priority": 2},
        {"InstanceType": "ml.g4dn.xlarge", "Priority": 3},
    ]


def test_an_update_keeps_the_instance_count_of_autoscaling(small: Templates) -> None:
    assert only(small.endpoints["demo"], ENDPOINT)["RetainAllVariantProperties"] is True


def shapes(operation: str) -> dict[str, Any]:
    """The members of the input of an operation of SageMaker, with their limits."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    return dict(model.operation_model(operation).input_shape.members)


def test_the_old_fleet_stays_until_its_longest_job_has_ended(small: Templates, large: Templates) -> None:
    policy_shape = shapes("UpdateEndpoint")["DeploymentConfig"].members["BlueGreenUpdatePolicy"]
    longest = synthesize(
        {
            "models": [
                model(download_timeout_s=3600, startup_timeout_s=3600, invocation_timeout_s=3600),
            ]
        }
    )
    for template, job_s, start_s in (
        (small.endpoints["demo"], 900, 1800 + 900),
        (large.endpoints["first"], 300, 100 + 200),
        (longest.endpoints["demo"], 3600, 3600 + 3600),
    ):
        policy = only(template, ENDPOINT)["DeploymentConfig"]["BlueGreenUpdatePolicy"]
        assert policy["TerminationWaitInSeconds"] == job_s
        routing = policy["TrafficRoutingConfiguration"]
        assert routing["Type"] == "ALL_AT_ONCE"
        waits = job_s + routing["WaitIntervalInSeconds"]
        assert policy["MaximumExecutionTimeoutInSeconds"] >= waits + start_s + 3600
        for name in ("TerminationWaitInSeconds", "MaximumExecutionTimeoutInSeconds"):
            limits = policy_shape.members[name].metadata
            assert limits["min"] <= policy[name] <= limits["max"]


def test_an_update_is_rolled_back_by_alarms_that_a_faulty_version_fires(small: Templates) -> None:
    template = small.endpoints["demo"]
    configuration = only(template, ENDPOINT)["DeploymentConfig"]
    alarms = template.find_resources("AWS::CloudWatch::Alarm")
    names = [each["AlarmName"]["Ref"] for each in configuration["AutoRollbackConfiguration"]["Alarms"]]
    found = {alarms[name]["Properties"]["MetricName"]: alarms[name]["Properties"] for name in names}
    assert set(found) == {"Failures"}
    assert all(each["TreatMissingData"] == "notBreaching" for each in found.values())  # not fired at rest
    baking_s = configuration["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["WaitIntervalInSeconds"]
    assert all(baking_s > each["EvaluationPeriods"] * each["Period"] + 120 for each in found.values())
    arns = [{"Fn::GetAtt": [name, "Arn"]} for name in names]
    assert json.loads(allowed(template, "cloudwatch:DescribeAlarms")) == arns


def test_without_auto_rollback_no_alarm_ends_an_update(large: Templates) -> None:
    template = large.endpoints["first"]
    assert "AutoRollbackConfiguration" not in only(template, ENDPOINT)["DeploymentConfig"]
    assert allowed(template, "cloudwatch:DescribeAlarms") == "[]"


def test_the_container_knows_its_region_and_account_and_that_its_instances_have_gpus(
    large: Templates,
) -> None:
    variables = only(large.endpoints["second"], MODEL)["PrimaryContainer"]["Environment"]
    assert variables["AWS_DEFAULT_REGION"] == {"Ref": "AWS::Region"}
    assert variables["AWS_ACCOUNT_ID"] == {"Ref": "AWS::AccountId"}
    types = container_environment(large.endpoints["second"]).gpu_instance_types
    assert types == ("ml.g6e.xlarge", "ml.g6.xlarge", "ml.g4dn.xlarge")


def test_the_endpoints_name_is_published_after_its_autoscaling_is_created(small: Templates) -> None:
    template = small.endpoints["demo"]
    ((_, parameter),) = template.find_resources("AWS::SSM::Parameter").items()
    assert parameter["Properties"]["Name"] == "/stable-diffusion/test/endpoints/demo"
    (endpoint,) = template.find_resources(ENDPOINT)
    assert parameter["Properties"]["Value"] == {"Fn::GetAtt": [endpoint, "EndpointName"]}
    scaling = {
        *template.find_resources("AWS::ApplicationAutoScaling::ScalableTarget"),
        *template.find_resources("AWS::ApplicationAutoScaling::ScalingPolicy"),
    }
    assert scaling <= set(parameter["DependsOn"])


def test_the_model_is_created_after_the_policy_of_its_role(small: Templates) -> None:
    template = small.endpoints["demo"]
    ((_, created),) = template.find_resources(MODEL).items()
    (policy,) = template.find_resources("AWS::IAM::Policy")
    assert policy in created["DependsOn"]
