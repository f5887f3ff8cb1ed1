from typing import Any

from operations.cost.inventory import Inventory


def test_the_billable_resources_of_all_templates_are_counted() -> None:
    def resources(**kinds: Any) -> Any:
        return {
            "Resources": {
                name: {"Type": kind, "Properties": properties} for name, (kind, properties) in kinds.items()
            }
        }

    alarm, policy = "AWS::CloudWatch::Alarm", "AWS::ApplicationAutoScaling::ScalingPolicy"
    stat = {"MetricStat": {}}
    first = resources(
        Plain=(alarm, {"MetricName": "Errors"}),
        Ratio=(alarm, {"Metrics": [{"Expression": "a / b"}, stat, stat]}),
        Follow=(policy, {"PolicyType": "TargetTrackingScaling"}),
        Step=(policy, {"PolicyType": "StepScaling"}),
        Key=("AWS::KMS::Key", {}),
        Gateway=("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"}),
    )
    second = resources(
        Door=("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}),
        Acl=("AWS::WAFv2::WebACL", {"Rules": [{}, {}, {}]}),
        Board=("AWS::CloudWatch::Dashboard", {}),
        Poll=("AWS::Lambda::EventSourceMapping", {}),
        Secret=("AWS::SecretsManager::Secret", {}),
        Bucket=("AWS::S3::Bucket", {}),
        Minutely=("AWS::Events::Rule", {"ScheduleExpression": "rate(1 minute)"}),
        Starts=("AWS::Events::Rule", {"EventPattern": {}}),
        Api=("AWS::Lambda::Function", {"MemorySize": 512, "SnapStart": {"ApplyOn": "PublishedVersions"}}),
        Other=("AWS::Lambda::Function", {"MemorySize": 512}),
    )
    assert Inventory.of([first, second, {}]) == Inventory(
        alarm_metrics=5,
        dashboards=1,
        keys=1,
        secrets=1,
        polled_queues=1,
        web_acls=1,
        web_acl_rules=3,
        endpoint_zones=2,
        schedules=1,
        snapshot_gb=0.5,
    )
