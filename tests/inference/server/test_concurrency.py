"""Concurrent invocations of one container."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from contract.identifiers import new_job_id
from tests.inference.fake_engine import FakeEngine, create_handler
from tests.waiting import wait_until

_JOBS = 16


def test_as_many_jobs_as_sagemaker_sends_by_default_are_at_the_engine_at_once(serve: Any, s3: Any) -> None:
    engine = FakeEngine()
    client = serve(lambda: create_handler(engine, s3))
    wait_until(lambda: client.get("/ping").status_code == 200)

    def invoke(seed: int) -> Any:
        document = {"prompt": "x", "seed": seed, "id": new_job_id()}
        return client.post("/invocations", json=document).status_code

    with ThreadPoolExecutor(_JOBS) as clients:
        answers = [clients.submit(invoke, seed) for seed in range(_JOBS)]
        wait_until(lambda: len(engine.calls) == _JOBS)
        assert client.get("/ping").status_code == 200
        assert not any(answer.done() for answer in answers)
        engine.gate.set()
        assert [answer.result() for answer in answers] == [200] * _JOBS
    assert {generation.seed for generation, _ in engine.calls} == set(range(_JOBS))
