import json
from typing import Any

from aws_cdk.assertions import Capture, Match, Template

from inference.contract.environment import ContainerEnvironment
from tests.infra.conftest import Templates


def only(template: Template, kind: str) -> Any:
    ((_, resource),) = template.find_resources(kind).items()
    return resource["Properties"]


def text(value: Any) -> str:
    return json.dumps(value)


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
        "demo": ("ml.g4dn.xlarge", 1, 1800, 900, 4),
        "first": ("ml.g5.xlarge", 2, 100, 200, 9),
        "second": ("ml.g6.xlarge", 1, 1800, 900, 4),
    }
    for name, template in (small.endpoints | large.endpoints).items():
        config = only(template, "AWS::SageMaker::EndpointConfig")
        (variant,) = config["ProductionVariants"]
        client = config["AsyncInferenceConfig"]["ClientConfig"]
        assert expected[name] == (
            variant["InstanceType"],
            variant["InitialInstanceCount"],
            variant["ModelDataDownloadTimeoutInSeconds"],
            variant["ContainerStartupHealthCheckTimeoutInSeconds"],
            client["MaxConcurrentInvocationsPerInstance"],
        )
        assert variant["InferenceAmiVersion"] == "al2023-ami-sagemaker-inference-gpu-4-1"


def test_an_update_keeps_the_instances_that_scaling_has_chosen(small: Templates) -> None:
    assert only(small.endpoints["demo"], "AWS::SageMaker::Endpoint")["RetainAllVariantProperties"] is True


def test_nothing_has_a_name_that_would_block_its_replacement(small: Templates) -> None:
    for kind, name in (
        ("Model", "ModelName"),
        ("EndpointConfig", "EndpointConfigName"),
        ("Endpoint", "EndpointName"),
    ):
        assert name not in only(small.endpoints["demo"], f"AWS::SageMaker::{kind}")


def test_the_model_waits_for_the_permissions_of_its_role(small: Templates) -> None:
    template = small.endpoints["demo"]
    ((_, model),) = template.find_resources("AWS::SageMaker::Model").items()
    (policy,) = template.find_resources("AWS::IAM::Policy")
    assert policy in model["DependsOn"]


def test_the_role_reads_its_own_model_and_writes_only_what_it_makes(large: Templates) -> None:
    statements = only(large.endpoints["first"], "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    by_action = {text(s["Action"]): text(s["Resource"]) for s in statements}
    reads, writes = by_action['"s3:GetObject"'], by_action['"s3:PutObject"']
    assert all(part in reads for part in ("/first/*", "/requests/*", "/inputs/*", "/outputs/*"))
    assert "/second/*" not in reads
    assert all(part in writes for part in ("/outputs/*", "/results/*", "/failures/*", "/progress/*"))
    assert not any(part in writes for part in ("/inputs/*", "/requests/*", "/first/*"))


def test_scaling_follows_the_backlog_per_instance_of_this_endpoint(large: Templates) -> None:
    large.endpoints["first"].has_resource_properties(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        {
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 2.5,
                "ScaleInCooldown": 11,
                "ScaleOutCooldown": 22,
                "CustomizedMetricSpecification": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": "ApproximateBacklogSizePerInstance",
                    "Statistic": "Average",
                    "Dimensions": [
                        {"Name": "EndpointName", "Value": {"Fn::GetAtt": [Match.any_value(), "EndpointName"]}}
                    ],
                },
            },
        },
    )


def test_scaling_goes_from_the_least_to_the_most_instances(small: Templates, large: Templates) -> None:
    for template, least, most in ((small.endpoints["demo"], 0, 1), (large.endpoints["first"], 2, 6)):
        target = only(template, "AWS::ApplicationAutoScaling::ScalableTarget")
        assert (target["MinCapacity"], target["MaxCapacity"]) == (least, most)
        assert target["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
        parts = target["ResourceId"]["Fn::Join"][1]
        assert (parts[0], parts[-1]) == ("endpoint/", "/variant/primary")
        assert "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint" in text(target["RoleARN"])


def test_a_backlog_without_capacity_wakes_the_endpoint(small: Templates) -> None:
    template, policy = small.endpoints["demo"], Capture()
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "Namespace": "AWS/SageMaker",
            "MetricName": "HasBacklogWithoutCapacity",
            "Dimensions": [
                {"Name": "EndpointName", "Value": {"Fn::GetAtt": [Match.any_value(), "EndpointName"]}}
            ],
            "Statistic": "Maximum",
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [{"Ref": policy}],
        },
    )
    woken = template.find_resources("AWS::ApplicationAutoScaling::ScalingPolicy")[policy.as_string()][
        "Properties"
    ]
    steps = woken["StepScalingPolicyConfiguration"]
    assert woken["PolicyType"] == "StepScaling"
    assert steps["AdjustmentType"] == "ExactCapacity"
    assert steps["StepAdjustments"] == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]
