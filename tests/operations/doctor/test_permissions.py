from dataclasses import replace

from operations.doctor.check import Status, finding_of
from operations.doctor.permissions import DeploymentRoles
from tests.operations.conftest import ACCOUNT, StubbedAws

PREFIX = "arn:aws:iam::123456789012:role/cdk-hnb659fds"
DEPLOY = f"{PREFIX}-deploy-role-123456789012-eu-west-1"
FILES = f"{PREFIX}-file-publishing-role-123456789012-eu-west-1"


def expect(aws: StubbedAws, source: str, role: str, decision: str) -> None:
    aws.stub("iam").add_response(
        "simulate_principal_policy",
        {"EvaluationResults": [{"EvalActionName": "sts:AssumeRole", "EvalDecision": decision}]},
        {"PolicySourceArn": source, "ActionNames": ["sts:AssumeRole"], "ResourceArns": [role]},
    )


def test_a_user_who_may_assume_the_roles_passes(aws: StubbedAws) -> None:
    expect(aws, ACCOUNT.caller_arn, DEPLOY, "allowed")
    expect(aws, ACCOUNT.caller_arn, FILES, "allowed")
    finding = DeploymentRoles(aws, ACCOUNT, ("deploy", "file-publishing")).run()
    assert (finding.status, finding.found) == (
        Status.PASS,
        "may assume the CDK's roles: deploy, file-publishing",
    )


def test_a_role_that_may_not_be_assumed_is_named(aws: StubbedAws) -> None:
    expect(aws, ACCOUNT.caller_arn, DEPLOY, "allowed")
    expect(aws, ACCOUNT.caller_arn, FILES, "implicitDeny")
    finding = DeploymentRoles(aws, ACCOUNT, ("deploy", "file-publishing")).run()
    assert finding.status is Status.FAIL
    assert FILES in finding.found
    assert DEPLOY not in finding.found


def test_a_session_is_judged_by_its_role_wherever_that_lies(aws: StubbedAws) -> None:
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


def test_the_root_user_is_advised_against(aws: StubbedAws) -> None:
    root = replace(ACCOUNT, caller_arn="arn:aws:iam::123456789012:root")
    assert DeploymentRoles(aws, root, ("deploy",)).run().status is Status.SKIPPED


def test_where_the_simulation_is_not_allowed_it_is_skipped_with_the_reason(aws: StubbedAws) -> None:
    aws.deny("iam", "simulate_principal_policy")
    finding = finding_of(DeploymentRoles(aws, ACCOUNT, ("deploy",)))
    assert finding.status is Status.SKIPPED
    assert "you may not call SimulatePrincipalPolicy" in finding.found
