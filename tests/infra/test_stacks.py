from typing import Any

import aws_cdk as cdk

from infra.config import DeploymentConfig
from infra.stacks import add_stacks
from tests.infra.conftest import LARGE, PAGE, SMALL, Templates, synthesize, text
from tests.infra.functions import actions

TAGGED = {
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::CodeBuild::Project",
    "AWS::DynamoDB::Table",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::ECR::Repository",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SSM::Parameter",
    "AWS::SageMaker::Endpoint",
    "AWS::SageMaker::EndpointConfig",
    "AWS::SageMaker::Model",
    "AWS::SecretsManager::Secret",
    "AWS::WAFv2::WebACL",
}
"""Types of resources that appear in bills or in policies on tags."""


def test_each_model_has_its_own_endpoint_stack(small: Templates, large: Templates) -> None:
    assert set(small.by_stack) == {"Storage", "Image", "Endpoint-demo", "Api", "Web", "Dashboard"}
    assert set(large.by_stack) == {
        "Storage",
        "Image",
        "Network",
        "Endpoint-first",
        "Endpoint-second",
        "Api",
        "Dashboard",
    }
    for template in (*small.endpoints.values(), *large.endpoints.values()):
        template.resource_count_is("AWS::SageMaker::Endpoint", 1)


def test_the_outputs_that_users_need(small: Templates, large: Templates) -> None:
    def outputs(templates: Templates) -> set[str]:
        return {
            name
            for template in templates.all()
            for name, output in template.find_outputs("*").items()
            if "Export" not in output
        }

    shared = {"DataBucketName", "ModelsBucketName", "SigningSecretArn", "EndpointName", "ApiUrl"}
    named = {name for name in outputs(small) if not name.startswith("ApiRestApiEndpoint")}
    assert named == shared | {"ApiKeyId", "WebUrl"}
    named = {name for name in outputs(large) if not name.startswith("ApiRestApiEndpoint")}
    assert named == shared | {"ApiDomainTarget"}


def test_wildcards_are_used_only_where_aws_requires_them(large: Templates) -> None:
    required = {
        "ecr:GetAuthorizationToken",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    }
    for name, template in large.by_stack.items():
        if name == "Image":  # its policies come from the library that builds the image
            continue
        for policy in template.find_resources("AWS::IAM::Policy").values():
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                assert not any("*" in action for action in actions(statement))
                assert statement["Resource"] != "*" or set(actions(statement)) <= required


def test_no_stack_imports_the_name_of_an_endpoint(large: Templates) -> None:
    """CloudFormation cannot change an export that another stack imports."""
    for template in large.endpoints.values():
        assert not [output for output in template.find_outputs("*").values() if "Export" in output]


def test_the_large_stage_changes_every_setting_of_the_stage() -> None:
    config = DeploymentConfig.for_stage("test", {"test": LARGE})
    unchanged = {"stage", "environment", "image", "keep_data", "powertools_layer_version"}
    for name, field in DeploymentConfig.model_fields.items():
        if name not in unchanged:
            assert getattr(config, name) != field.default, name


def test_the_url_of_the_api_has_no_slash_at_its_end(small: Templates) -> None:
    url = small.api.find_outputs("ApiUrl")["ApiUrl"]["Value"]["Fn::Join"][1]
    assert url[-1]["Ref"].startswith("ApiRestApiDeploymentStage")


def test_every_stack_belongs_to_the_environment_of_the_stage(committed: dict[str, Any]) -> None:
    stage = SMALL | {"environment": {"account": "123456789012", "region": "eu-central-1"}}
    app = cdk.App(context=committed["context"])
    add_stacks(app, DeploymentConfig.for_stage("test", {"test": stage}), page=PAGE)
    stacks = [each for each in app.node.children if isinstance(each, cdk.Stack)]
    assert len(stacks) == 6
    assert {(each.account, each.region) for each in stacks} == {("123456789012", "eu-central-1")}


def test_every_resource_with_tags_has_those_of_the_stage(large: Templates, small: Templates) -> None:
    def tags(resource: Any) -> Any:
        found = resource["Properties"].get("Tags", [])
        return found if isinstance(found, dict) else {each["Key"]: each["Value"] for each in found}

    tagged = set()
    for template in large.all():
        for resource in template.to_json()["Resources"].values():
            if resource["Type"] in TAGGED:
                assert LARGE["tags"].items() <= tags(resource).items(), resource
                tagged.add(resource["Type"])
    assert tagged == TAGGED
    assert not any("cost center" in text(template.to_json()) for template in small.all())


def test_every_role_has_the_permissions_boundary(large: Templates, small: Templates) -> None:
    boundary = {
        "Fn::Join": [
            "",
            [
                "arn:",
                {"Ref": "AWS::Partition"},
                ":iam::",
                {"Ref": "AWS::AccountId"},
                ":policy/teams/design-boundary",
            ],
        ]
    }
    deleted = synthesize(LARGE | {"keep_data": False})  # adds functions of the CDK that delete data
    roles = [
        role
        for templates in (large, deleted)
        for template in templates.all()
        for role in template.find_resources("AWS::IAM::Role").values()
    ]
    assert len(roles) >= len(large.by_stack) + len(deleted.by_stack)
    assert all(role["Properties"]["PermissionsBoundary"] == boundary for role in roles)
    assert not any("PermissionsBoundary" in text(template.to_json()) for template in small.all())
