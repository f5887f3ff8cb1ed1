"""The HTTP API beside another front: cold starts, and calls of the handlers, in interleaved rounds."""

import compileall
import importlib
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
from tqdm import tqdm

from bench.figures import markdown, median, milliseconds
from bench.front import api_function
from bench.front.cold_start import measure
from bench.front.handlers import AwsCalls, Call, Handler, call
from bench.front.messages import CountedMessages
from contract.identifiers import new_job_id
from local.stack import ROOT, LocalStack

_OURS, _PEER = "this API", "FastAPI, pydantic, boto3"
_HANDLERS = {_OURS: "jobs.http_handler", _PEER: "bench.front.peer"}
_COLD_STARTS = 15
_CALLS = 60
_TIMEOUT_S = 60
_REQUEST = {"prompt": "a red circle on a white background", "steps": 1, "width": 64, "height": 64}


@dataclass(frozen=True)
class _Front:
    handler: Handler
    aws_calls: AwsCalls

    def call(self, method: str, path: str, body: Any = None) -> Call:
        return call(self.handler, self.aws_calls, method, path, body)


def tables(stack: LocalStack, messages: CountedMessages, assembly: Path) -> Iterator[str]:
    """Measures both fronts with the services of a stack, whose container is idle.

    Args:
        stack: the stack.
        messages: the stack's completion messages.
        assembly: the stack's templates and assets.
    """
    variables = _environment_of(stack)
    (bundle,) = (path.parent for path in assembly.glob("asset.*/jobs"))
    compileall.compile_dir(bundle, quiet=1)  # as the installed packages of the other front are
    yield _cold_starts(variables, {_OURS: bundle, _PEER: ROOT})
    with _environment(variables):
        yield _calls(_load(), messages)


def _environment_of(stack: LocalStack) -> dict[str, str]:
    """The environment of the API's function, and what the other front needs besides."""
    variables = api_function.variables(stack)
    parameter = json.loads(variables["MODEL_ENDPOINTS"])[0]["endpoint_parameter"]
    endpoint = stack.aws.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
    return stack.aws.environment() | variables | {"ENDPOINT_NAME": endpoint}


def _cold_starts(variables: Mapping[str, str], directories: Mapping[str, Path]) -> str:
    found = defaultdict(list)
    for number in tqdm(range(_COLD_STARTS + 1), desc="cold starts", file=sys.stderr):
        for name in _ordered(number):
            cold = measure(_HANDLERS[name], variables, directories[name])
            if number:  # the first import warms the page cache
                found[name].append(cold)
    rows = [
        (name, median([each.seconds for each in colds], 3), median([each.mib for each in colds], 0))
        for name, colds in found.items()
    ]
    ratios = [ours.seconds / peer.seconds for ours, peer in zip(found[_OURS], found[_PEER], strict=True)]
    rows.append(("ratio of the pairs", median(ratios), ""))
    return markdown((f"cold start, median of {_COLD_STARTS}", "import, s", "peak memory, MiB"), rows)


def _calls(fronts: Mapping[str, _Front], messages: CountedMessages) -> str:
    found: dict[tuple[str, str], list[Call]] = defaultdict(list)
    messages.held_back = True  # the other front's jobs are unknown to the completion function
    for number in tqdm(range(_CALLS + 1), desc="calls", file=sys.stderr):
        for name in _ordered(number):
            before = messages.count
            submitted = fronts[name].call("POST", "/v1/jobs", _REQUEST)
            messages.wait_for(before + 1, _TIMEOUT_S)
            path = f"/v1/jobs/{submitted.body['id']}"
            if name == _OURS:
                found["GET of a queued job", name].append(fronts[name].call("GET", _queued_copy(path)))
                fronts[name].call("GET", path)  # ends the job
            found["POST", name].append(submitted)
            found["GET", name].append(fronts[name].call("GET", path))
    messages.held_back = False
    rows = [_row(call_name, name, calls[1:]) for (call_name, name), calls in sorted(found.items())]
    columns = ("call", "front", "p50, ms", "p95, ms", "AWS calls, p50, ms", "own time, p50, ms")
    return markdown(columns, rows)


def _row(call_name: str, name: str, calls: list[Call]) -> tuple[str, ...]:
    seconds = [each.seconds for each in calls]
    return (
        call_name,
        name,
        milliseconds(seconds),
        milliseconds(seconds, 0.95),
        milliseconds([each.aws_s for each in calls]),
        milliseconds([each.seconds - each.aws_s for each in calls]),
    )


def _queued_copy(path: str) -> str:
    """The path of a new record that equals the job's, and that no container processes."""
    jobs = importlib.import_module("jobs.wiring").job_service().jobs
    job = jobs.get(path.rpartition("/")[2])
    generation = job.generation.model_copy(update={"id": new_job_id()})
    output = job.invocation.output_location.replace(job.id, generation.id)
    jobs.create(
        replace(job, generation=generation, invocation=replace(job.invocation, output_location=output)), None
    )
    return f"/v1/jobs/{generation.id}"


def _load() -> dict[str, _Front]:
    wiring = importlib.import_module("jobs.wiring")
    boto3.setup_default_session()
    events = {
        _OURS: wiring.session().get_component("event_emitter"),
        _PEER: boto3.DEFAULT_SESSION.events,  # type: ignore[union-attr]
    }
    listening = {name: AwsCalls(emitter) for name, emitter in events.items()}
    return {
        name: _Front(importlib.import_module(module).handler, listening[name])
        for name, module in _HANDLERS.items()
    }


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """This process's environment and import path are those of the function."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    sys.path.insert(0, str(ROOT / "lambda"))
    try:
        yield
    finally:
        sys.path.remove(str(ROOT / "lambda"))
        os.environ.clear()
        os.environ.update(before)


def _ordered(number: int) -> list[str]:
    """The fronts, in an order that alternates."""
    return list(_HANDLERS) if number % 2 else list(reversed(_HANDLERS))
