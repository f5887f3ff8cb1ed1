from typing import Any

from tests.infra.conftest import Templates, only


def rules(templates: Templates) -> list[Any]:
    found: list[Any] = only(templates.api, "AWS::WAFv2::WebACL")["Rules"]
    return found


def test_there_is_no_firewall_by_default(small: Templates) -> None:
    small.api.resource_count_is("AWS::WAFv2::WebACL", 0)


def test_requests_above_the_rate_limit_of_an_address_are_blocked(large: Templates) -> None:
    limit = rules(large)[0]
    statement = limit["Statement"]["RateBasedStatement"]
    assert (statement["AggregateKeyType"], statement["Limit"]) == ("IP", 500)
    assert (limit["Priority"], limit["Action"]) == (0, {"Block": {}})


def test_the_managed_rule_groups_keep_their_own_actions(large: Templates) -> None:
    managed = [
        (
            rule["Priority"],
            rule["Statement"]["ManagedRuleGroupStatement"]["Name"],
            rule["OverrideAction"],
        )
        for rule in rules(large)[1:]
    ]
    assert managed == [
        (1, "AWSManagedRulesCommonRuleSet", {"None": {}}),
        (2, "AWSManagedRulesKnownBadInputsRuleSet", {"None": {}}),
    ]


def test_the_firewall_is_associated_with_the_deployed_stage(large: Templates) -> None:
    association = only(large.api, "AWS::WAFv2::WebACLAssociation")
    (stage,) = large.api.find_resources("AWS::ApiGateway::Stage")
    assert {"Ref": stage} in association["ResourceArn"]["Fn::Join"][1]
