from contract.environment import CompletionEnvironment
from tests.infra.conftest import Templates, text
from tests.infra.functions import COMPLETION, function, prefixes, variables


def test_the_function_consumes_the_queue_and_reports_failures_per_message(small: Templates) -> None:
    (mapping,) = (
        each["Properties"]
        for each in small.api.find_resources("AWS::Lambda::EventSourceMapping").values()
        if "CompletionQueue" in text(each["Properties"]["EventSourceArn"])
    )
    assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (10, ["ReportBatchItemFailures"])
    assert mapping.get("Enabled", True) is True


def test_the_function_receives_the_names_of_table_and_bucket(large: Templates) -> None:
    environment = CompletionEnvironment.read(variables(large, COMPLETION))
    assert (environment.jobs_table_name, environment.data_bucket_name) == ("deployed", "deployed")


def test_the_function_may_only_read_results_and_failures(small: Templates) -> None:
    assert prefixes(small, COMPLETION, "s3:GetObject") == {"/results/*", "/failures/*"}
    assert prefixes(small, COMPLETION, "s3:PutObject") == set()


def test_a_message_becomes_visible_again_only_after_six_timeouts_of_the_function(small: Templates) -> None:
    """AWS recommends at least six times the function's timeout."""
    queues = small.storage.find_resources("AWS::SQS::Queue")
    (visibility_s,) = (
        each["Properties"]["VisibilityTimeout"]
        for name, each in queues.items()
        if name.startswith("CompletionQueueCompletions")
    )
    assert function(small, COMPLETION)["Timeout"] == 30
    assert visibility_s == 180
