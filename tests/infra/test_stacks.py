from infra.config import DeploymentConfig
from tests.infra.conftest import LARGE, Templates
from tests.infra.functions import actions


def test_each_model_has_its_own_endpoint_stack(small: Templates, large: Templates) -> None:
    assert set(small.by_stack) == {"Storage", "Image", "Endpoint-demo", "Api", "Dashboard"}
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
    assert named == shared | {"ApiKeyId"}
    assert {name for name in outputs(large) if not name.startswith("ApiRestApiEndpoint")} == shared


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
    unchanged = {"stage", "image", "keep_data", "powertools_layer_version"}
    for name, field in DeploymentConfig.model_fields.items():
        if name not in unchanged:
            assert getattr(config, name) != field.default, name


def test_the_url_of_the_api_has_no_slash_at_its_end(small: Templates) -> None:
    url = small.api.find_outputs("ApiUrl")["ApiUrl"]["Value"]["Fn::Join"][1]
    assert url[-1]["Ref"].startswith("ApiRestApiDeploymentStage")
