from tests.jobs.fakes import InMemoryBackend
from tests.jobs.http_calls import call


def test_models_and_samplers_are_listed(deployed: InMemoryBackend) -> None:
    models = call("GET", "/v1/models")[2]["data"]
    assert [(m["name"], m["is_default"]) for m in models] == [("demo", True), ("other", False)]
    assert {name: models[0][name] for name in ("id", "object", "created", "owned_by")} == {
        "id": "demo",
        "object": "model",
        "created": 0,
        "owned_by": "quick-kit",
    }
    assert models[0]["limits"]["max_size"] == 768
    samplers = call("GET", "/v1/samplers")[2]["data"]
    assert (samplers[0]["name"], samplers[0]["label"]) == ("euler", "Euler")
    assert "EulerDiscreteScheduler" in samplers[0]["aliases"]
