from dataclasses import replace

from operations.doctor.check import Status, run_check
from operations.doctor.permissions import DeploymentRoles
from tests.operations.doctor.conftest import ACCOUNT, StubbedAws

PREFIX = "arn:aws:iam::123456789012:role/cdk-hnb659fds"
DEPLOY = f"{PREFIX}-deploy-role-123456789012-eu-west-1"
FILES = f"{PREFIX}-file-publishing-role-123456789012-eu-west-1"


def expect(aws: StubbedAws, source: str, role: str, decision: str) -> None:
    aws.stub("iam").add_response(
        "simulate_principal_policy",
        {"EvaluationResults": [{"EvalActionName": "sts:AssumeRole", "EvalDecision": decision}]},
        {"PolicySourceArn": source, "ActionNames": ["sts:AssumeRole"], "ResourceArns": [role]},
    )


def test_a_user_with_permission_for_all_roles_passes(aws: StubbedAws) -> None:
    expect(aws, ACCOUNT.caller_arn, DEPLOY, "allowed")
    expect(aws, ACCOUNT.caller_arn, FILES, "allowed")
    result = DeploymentRoles(aws, ACCOUNT, ("deploy", "file-publishing")).run()
    assert (result.status, result.message) == (
        Status.PASS,
        "may assume the CDK's roles: deploy, file-publishing",
    )


def test_a_role_without_permission_is_named(aws: StubbedAws) -> None:
    expect(aws, ACCOUNT.caller_arn, DEPLOY, "allowed")
    expect(aws, ACCOUNT.caller_arn, FILES, "implicitDeny")
    result = DeploymentRoles(aws, ACCOUNT, ("deploy", "file-publishing")).run()
    assert result.status is Status.FAIL
    assert FILES in result.message
    assert DEPLOY not in result.message


def test_the_session_of_a_role_with_a_path_is_checked_by_its_role(aws: StubbedAws) -> None:
    arn = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/Admin"
    role = {
        "Path": "/aws-reserved/sso.amazonaws.com/",
        "RoleName": "Admin",
        "RoleId": "AROAEXAMPLEEXAMPLE",
        "Arn": arn,
        "CreateDate": "2026-01-01T00:00:00Z",
    }
    aws.stub("iam").add_response("get_role", {"Role": role}, {"RoleName": "Admin"})
    expect(aws, arn, DEPLOY, "allowed")
    session = replace(ACCOUNT, caller_arn="arn:aws:sts::123456789012:assumed-role/Admin/ada@example.com")
    assert DeploymentRoles(aws, session, ("deploy",)).run().status is Status.PASS


def test_the_roles_of_another_qualifier_are_checked(aws: StubbedAws) -> None:
    expect(aws, ACCOUNT.caller_arn, DEPLOY.replace("hnb659fds", "team1"), "allowed")
    account = replace(ACCOUNT, qualifier="team1")
    assert DeploymentRoles(aws, account, ("deploy",)).run().status is Status.PASS


def test_the_root_user_is_skipped(aws: StubbedAws) -> None:
    root = replace(ACCOUNT, caller_arn="arn:aws:iam::123456789012:root")
    assert DeploymentRoles(aws, root, ("deploy",)).run().status is Status.SKIPPED


def test_without_permission_for_the_simulation_the_check_is_skipped(aws: StubbedAws) -> None:
    aws.deny("iam", "simulate_principal_policy")
    result = run_check(DeploymentRoles(aws, ACCOUNT, ("deploy",)))
    assert result.status is Status.SKIPPED
    assert "no permission for SimulatePrincipalPolicy" in result.message
