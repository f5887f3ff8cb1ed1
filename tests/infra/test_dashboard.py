import json
from typing import Any

from contract import metrics
from tests.infra.conftest import Templates, only, text

DASHBOARD = "AWS::CloudWatch::Dashboard"


def widgets(templates: Templates) -> Any:
    parts = only(templates.by_stack["Dashboard"], DASHBOARD)["DashboardBody"]["Fn::Join"][1]
    return json.loads("".join(part if isinstance(part, str) else "token" for part in parts))["widgets"]


def test_each_endpoint_has_graphs_of_its_queue_instances_gpu_and_durations(large: Templates) -> None:
    body = text(widgets(large))
    for model in ("first", "second"):
        assert only(large.endpoints[model], "AWS::SageMaker::Endpoint")["EndpointName"] in body
    for metric in (
        "ApproximateBacklogSize",
        "TimeInBacklog",
        "CPUUtilization",
        "GPUUtilization",
        "GPUMemoryUtilization",
        metrics.DENOISE_SECONDS,
        metrics.IMAGES,
        metrics.FAILURES,
    ):
        assert metric in body
    assert metrics.NAMESPACE in body
    assert "USD per hour" in body


def test_the_instance_count_is_the_number_of_cpu_samples(small: Templates) -> None:
    graphs = [
        widget["properties"]
        for widget in widgets(small)
        if "Instances" in widget["properties"].get("title", "")
    ]
    (graph,) = graphs
    count, cost = graph["metrics"]
    assert count[1] == "CPUUtilization"
    assert count[-1]["stat"] == "SampleCount"
    assert cost[-1]["expression"] == "count * 0.7364"


def test_each_model_and_companion_has_its_own_graphs(large: Templates) -> None:
    graphs = [widget["properties"].get("metrics", []) for widget in widgets(large)]
    for name in (metrics.DENOISE_SECONDS, metrics.IMAGES, metrics.FAILURES):
        shown = [line[:6] for graph in graphs for line in graph if line[:2] == [metrics.NAMESPACE, name]]
        assert sorted(line[2:6] for line in shown) == [
            ["Model", served, "Stage", "test"] for served in ("anime", "first", "photo", "second")
        ]
